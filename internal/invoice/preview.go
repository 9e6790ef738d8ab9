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
	reading, err := s.Reader.Read(ctx, contents)
	if err != nil {
		return nil, err
	}
	result, err := s.extraction(ctx, inv, reading, now, func(p Progress) { observe(s.progressEvent(inv, p)) })
	if err != nil {
		return nil, err
	}
	observe(s.event(inv, StageChecking, percentChecking, "Conferindo os valores."))
	inv.take(result, reading.QR, s.Now())
	inv.record(result.Attempts, reading.Hashes)
	return inv, nil
}
