// Package filestore keeps the bytes of submitted files, in a folder or in an S3-compatible bucket. Keys are made by the
// invoice service of ids alone; which invoice a file belongs to is the database's business.
package filestore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	_ "gocloud.dev/blob/s3blob" // the s3:// scheme
	"gocloud.dev/gcerrors"
)

// Store implements invoice.Files.
type Store struct {
	bucket *blob.Bucket
	dir    string // "" for a bucket elsewhere
}

// OpenDir keeps files below dir, which is made if it is not there.
func OpenDir(dir string) (*Store, error) {
	bucket, err := fileblob.OpenBucket(dir, &fileblob.Options{
		CreateDir: true, NoTempDir: true, Metadata: fileblob.MetadataDontWrite,
		DirFileMode: 0o700, // photos of receipts are personal
	})
	if err != nil {
		return nil, fmt.Errorf("open file store: %w", err)
	}
	return &Store{bucket: bucket, dir: dir}, nil
}

// OpenURL opens a bucket by its address, "s3://bucket?region=…&endpoint=…".
func OpenURL(ctx context.Context, address string) (*Store, error) {
	bucket, err := blob.OpenBucket(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("open file store: %w", err)
	}
	return &Store{bucket: bucket}, nil
}

// Put stores what r gives under key. When it returns the bytes are durable; after an error nothing is under key.
func (s *Store) Put(ctx context.Context, key string, r io.Reader) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // before Close it abandons the write
	w, err := s.bucket.NewWriter(ctx, key, &blob.WriterOptions{ContentType: "application/octet-stream"})
	if err != nil {
		return fmt.Errorf("put %s: %w", key, err)
	}
	if _, err := io.Copy(w, r); err != nil {
		cancel()
		return errors.Join(fmt.Errorf("put %s: %w", key, err), ignoreCancelled(w.Close()))
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("put %s: %w", key, err)
	}
	if s.dir == "" {
		return nil
	}
	return s.sync(key)
}

func ignoreCancelled(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// sync forces a file and the folders that name it to the disk, which fileblob does not: an accepted invoice must survive a
// power cut as its row does.
func (s *Store) sync(key string) error {
	path := filepath.Join(s.dir, filepath.FromSlash(key))
	for {
		f, err := os.Open(path) //nolint:gosec // G304: below our own folder, from ids
		if err != nil {
			return fmt.Errorf("sync %s: %w", key, err)
		}
		err = errors.Join(f.Sync(), f.Close())
		if err != nil {
			return fmt.Errorf("sync %s: %w", key, err)
		}
		if path == filepath.Clean(s.dir) || path == filepath.Dir(path) {
			return nil
		}
		path = filepath.Dir(path)
	}
}

// Open reads what is under key.
func (s *Store) Open(ctx context.Context, key string) (io.ReadCloser, error) {
	r, err := s.bucket.NewReader(ctx, key, nil)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", key, err)
	}
	return r, nil
}

// Delete removes what is under key, if anything.
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := s.bucket.Delete(ctx, key); err != nil && gcerrors.Code(err) != gcerrors.NotFound {
		return fmt.Errorf("delete %s: %w", key, err)
	}
	return nil
}

// DeleteAll removes everything whose key begins with prefix, which ends with a slash; below a folder, the folders too.
func (s *Store) DeleteAll(ctx context.Context, prefix string) error {
	list := s.bucket.List(&blob.ListOptions{Prefix: prefix})
	for {
		object, err := list.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("list %s: %w", prefix, err)
		}
		if err := s.Delete(ctx, object.Key); err != nil {
			return err
		}
	}
	if s.dir == "" {
		return nil
	}
	if err := os.RemoveAll(filepath.Join(s.dir, filepath.FromSlash(prefix))); err != nil {
		return fmt.Errorf("delete %s: %w", prefix, err)
	}
	return nil
}

// Each calls fn for every file there is, with when it was written, until fn fails.
func (s *Store) Each(ctx context.Context, fn func(key string, written time.Time) error) error {
	list := s.bucket.List(nil)
	for {
		object, err := list.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("list files: %w", err)
		}
		if err := fn(object.Key, object.ModTime); err != nil {
			return err
		}
	}
}

// Exists says whether there is something under key.
func (s *Store) Exists(ctx context.Context, key string) (bool, error) {
	there, err := s.bucket.Exists(ctx, key)
	if err != nil {
		return false, fmt.Errorf("look for %s: %w", key, err)
	}
	return there, nil
}

// Ping asks whether the folder or the bucket is there.
func (s *Store) Ping(ctx context.Context) error {
	there, err := s.bucket.IsAccessible(ctx)
	if err == nil && s.dir != "" {
		_, err = os.Stat(s.dir) // which the bucket does not ask
	}
	if err == nil && !there {
		err = errors.New("it is not there")
	}
	if err != nil {
		return fmt.Errorf("reach the file store: %w", err)
	}
	return nil
}

// Close lets go of the bucket.
func (s *Store) Close() error { return s.bucket.Close() }
