import { stringifyDocument } from '@urql/core';
import { type GraphQLReply, readReply, ServiceError } from '../app/errors';
import { session } from '../app/session';
import { SubmitInvoiceDocument, type SubmitInvoiceMutation } from '../graphql/generated/graphql';

export interface Upload {
  files: Blob[];
  idempotencyKey: string;
  allowDuplicate: boolean;
}

export type Submitted = SubmitInvoiceMutation['submitInvoice'];

/** Longer than this without a byte on its way, and the connection is taken for dead. */
const SILENCE_MS = 30_000;

/** The multipart request of https://github.com/jaydenseric/graphql-multipart-request-spec. */
export function multipart({ files, idempotencyKey, allowDuplicate }: Upload): FormData {
  const form = new FormData();
  const variables = { input: { files: files.map(() => null), idempotencyKey, allowDuplicate } };
  form.append('operations', JSON.stringify({ query: stringifyDocument(SubmitInvoiceDocument), variables }));
  form.append('map', JSON.stringify(Object.fromEntries(files.map((_, i) => [i, [`variables.input.files.${i}`]]))));
  files.forEach((file, i) => form.append(`${i}`, file, 'file')); // its name is nobody's business
  return form;
}

/** Sends files, and again once with a new token. Throws a ServiceError for the service's word, another error for the network's. */
export async function upload(
  what: Upload,
  onProgress: (share: number) => void,
  signal: AbortSignal,
): Promise<Submitted> {
  const token = await session.accessToken();
  if (token === null) throw signedOut();
  try {
    return await send(what, token, onProgress, signal);
  } catch (error) {
    if (!(error instanceof ServiceError) || error.code !== 'UNAUTHENTICATED') throw error;
  }
  const next = await session.renew(token);
  if (next === null) throw signedOut();
  return send(what, next, onProgress, signal);
}

const signedOut = () => new ServiceError('Entre de novo para continuar o envio.', 'UNAUTHENTICATED');

/** XMLHttpRequest, because fetch does not tell how much of a body has gone. */
function send(
  what: Upload,
  token: string,
  onProgress: (share: number) => void,
  signal: AbortSignal,
): Promise<Submitted> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    let silence: ReturnType<typeof setTimeout>;
    const hear = () => {
      clearTimeout(silence);
      silence = setTimeout(() => request.abort(), SILENCE_MS);
    };
    const abort = () => request.abort();
    const end = () => {
      clearTimeout(silence);
      signal.removeEventListener('abort', abort);
    };
    request.open('POST', '/graphql');
    request.setRequestHeader('Authorization', `Bearer ${token}`);
    request.setRequestHeader('Apollo-Require-Preflight', 'true');
    request.upload.onprogress = (event) => {
      hear();
      if (event.lengthComputable) onProgress(event.loaded / event.total);
    };
    request.onload = () => {
      end();
      try {
        resolve(readReply(JSON.parse(request.responseText) as GraphQLReply<SubmitInvoiceMutation>).submitInvoice);
      } catch (error) {
        reject(error instanceof ServiceError ? error : new Error(`The service answered ${request.status}`));
      }
    };
    request.onerror = request.onabort = () => {
      end();
      reject(new Error('The upload was cut off'));
    };
    signal.addEventListener('abort', abort);
    hear();
    request.send(multipart(what));
    if (signal.aborted) request.abort();
  });
}
