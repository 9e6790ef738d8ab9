import { describe, expect, test } from 'vitest';
import { accessKeyOf, formatAccessKey } from './qr';
import { intoNotes, kindOf, MAX_BYTES, moved, type Picked, refusal } from './selection';
import { fit, SHORT_SIDE } from './sizing';

describe('the size of a photo', () => {
  test.each([
    ['of a phone', { width: 3000, height: 4000 }, { width: 1600, height: 2133 }],
    ['that lies', { width: 4000, height: 3000 }, { width: 2133, height: 1600 }],
    ['just large enough', { width: SHORT_SIDE, height: 3000 }, { width: SHORT_SIDE, height: 3000 }],
    ['just above', { width: SHORT_SIDE + 1, height: 3202 }, { width: SHORT_SIDE, height: 3200 }],
    ['that is small is never enlarged', { width: 639, height: 1648 }, { width: 639, height: 1648 }],
    ['of a long receipt keeps its text', { width: 1200, height: 8000 }, { width: 1200, height: 8000 }],
  ])('%s', (_name, from, to) => {
    expect(fit(from)).toEqual(to);
  });

  test('has no more pixels than a phone bears', () => {
    const { width, height } = fit({ width: 2000, height: 20_000 });
    expect(width * height).toBeLessThanOrEqual(16_100_000);
  });
});

describe('files', () => {
  test.each([
    ['a.jpg', 'image/jpeg', 'photo'],
    ['IMG.HEIC', '', 'photo'],
    ['nota.pdf', 'application/pdf', 'document'],
    ['nota.XML', '', 'document'],
    ['a.gif', 'image/gif', undefined],
  ])('%s %s', (name, type, kind) => {
    expect(kindOf({ name, type })).toBe(kind);
  });

  test('an empty one and a document that is too large are refused', () => {
    const file = { name: 'a.pdf', type: 'application/pdf' };
    expect(refusal({ ...file, size: 0 })).toContain('vazio');
    expect(refusal({ ...file, size: MAX_BYTES })).toBeUndefined();
    expect(refusal({ ...file, size: MAX_BYTES + 1 })).toContain('20 MB');
    expect(refusal({ name: 'a.jpg', type: 'image/jpeg', size: MAX_BYTES + 1 })).toBeUndefined();
  });

  test('photos are one note or one each, and a document always is one', () => {
    const [a, b, pdf] = ['photo', 'photo', 'document'].map((kind, i) => ({ id: `${i}`, kind }) as Picked) as [
      Picked,
      Picked,
      Picked,
    ];
    expect(intoNotes([a, pdf, b], false)).toEqual([[a, b], [pdf]]);
    expect(intoNotes([a, pdf, b], true)).toEqual([[a], [b], [pdf]]);
    expect(intoNotes([], false)).toEqual([]);
  });

  test('moving stays within the list', () => {
    expect(moved([1, 2, 3], 0, 1)).toEqual([2, 1, 3]);
    expect(moved([1, 2, 3], 0, -1)).toEqual([1, 2, 3]);
    expect(moved([1, 2, 3], 2, 1)).toEqual([1, 2, 3]);
  });
});

describe('QR codes', () => {
  const key = '35261112345678000195650010000012341000012340';
  test.each([
    `https://www.nfce.fazenda.sp.gov.br/qrcode?p=${key}|2|1|1|ABCDEF`,
    `http://nfce.example/consulta?chNFe=${key}&nVersao=100`,
    key,
  ])('%s has the key', (text) => {
    expect(accessKeyOf(text)).toBe(key);
  });

  test.each(['https://example.com', `https://e.x/?p=${key}9|2`, `p=${key.slice(1)}`, ''])('%j has none', (text) => {
    expect(accessKeyOf(text)).toBeUndefined();
  });

  test('a key is shown in groups', () => {
    expect(formatAccessKey('123456789')).toBe('1234 5678 9');
  });
});
