package invoice

import (
	"context"
	"fmt"
)

// Preview reads the files of one purchase as a job would, and stores nothing. observe is told of every step. The error is
// one that Submit or an extraction would have ended with.
func (s *Service) Preview(ctx context.Context, files [][]byte, observe func(Event)) (*Invoice, error) {
	now := s.Now()
	inv := &Invoice{ID: s.NewID(), Status: StatusProcessing, Version: 1, Run: 1, CreatedAt: now, UpdatedAt: now}
	contents := make([]Content, 0, len(files))
	for i, data := range files {
		seen, err := s.Reader.Inspect(ctx, data)
		if err != nil {
			return nil, fmt.Errorf("file %d: %w", i+1, err)
		}
		f := File{ID: s.NewID(), Position: i, Kind: seen.Kind, Size: int64(len(data))}
		inv.Files = append(inv.Files, f)
		contents = append(contents, Content{File: f, Data: data})
	}
	observe(s.event(inv, StageReading, percentReading, "Lendo os arquivos."))
	look := s.newQuestion(ctx)
	defer look.close()
	reading, err := s.Reader.Read(ctx, contents, look.ask)
	if err != nil {
		return nil, err
	}
	reading.started = now
	return s.preview(ctx, inv, reading, look, observe)
}

// PreviewCode is Preview of a QR code's text or of an access key, of which one is "".
func (s *Service) PreviewCode(ctx context.Context, qrCode, accessKey string, observe func(Event)) (*Invoice, error) {
	qr, err := s.parseCode(qrCode, accessKey)
	if err != nil {
		return nil, err
	}
	now := s.Now()
	inv := &Invoice{
		ID: s.NewID(), Status: StatusProcessing, Version: 1, Run: 1, CreatedAt: now, UpdatedAt: now,
		Files: []File{{ID: s.NewID(), Kind: FileQR}},
	}
	look := s.newQuestion(ctx)
	defer look.close()
	look.ask(qr)
	return s.preview(ctx, inv, Reading{QR: &qr}, look, observe)
}

func (s *Service) preview(ctx context.Context, inv *Invoice, reading Reading, look *question, observe func(Event)) (*Invoice, error) {
	if reading.Draft == nil && reading.QR != nil {
		look.ask(*reading.QR)
	}
	result, err := s.extraction(ctx, inv, reading, look, func(p Progress) { observe(s.progressEvent(inv, p)) })
	if err != nil {
		return nil, err
	}
	observe(s.event(inv, StageChecking, percentChecking, "Conferindo os valores."))
	inv.take(result, reading.QR, s.Now())
	inv.record(result.Attempts, reading.Hashes)
	return inv, nil
}
