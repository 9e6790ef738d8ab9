package ops_test

import (
	"crypto/md5"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// bucket is as much of S3 as rclone needs for files below its multipart limit: put, get, copy of nothing, list, delete.
type bucket struct {
	mu      sync.Mutex
	objects map[string][]byte // by bucket/key
}

func (b *bucket) put(key string, data []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.objects[key] = data
}

func (b *bucket) remove(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.objects, key)
}

func (b *bucket) keys(prefix string) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.DeleteFunc(slices.Sorted(maps.Keys(b.objects)), func(key string) bool { return !strings.HasPrefix(key, prefix) })
}

func (b *bucket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	key := strings.TrimPrefix(r.URL.Path, "/")
	if r.Header.Get("Authorization") == "" {
		http.Error(w, "not signed", http.StatusForbidden)
		return
	}
	switch name, _, object := strings.Cut(key, "/"); {
	case r.Method == http.MethodPut:
		data, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		b.put(key, data)
		w.Header().Set("ETag", etag(data))
	case r.Method == http.MethodDelete:
		b.remove(key)
		w.WriteHeader(http.StatusNoContent)
	case object && strings.TrimPrefix(key, name+"/") != "":
		b.get(w, r, key)
	default:
		b.list(w, r, name)
	}
}

func (b *bucket) get(w http.ResponseWriter, r *http.Request, key string) {
	b.mu.Lock()
	data, ok := b.objects[key]
	b.mu.Unlock()
	if !ok {
		http.Error(w, "no such key", http.StatusNotFound)
		return
	}
	w.Header().Set("ETag", etag(data))
	w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	if r.Method == http.MethodGet {
		_, _ = w.Write(data)
	}
}

// etag is an MD5 sum, as S3's is.
func etag(data []byte) string { return fmt.Sprintf(`"%x"`, md5.Sum(data)) }

type listed struct {
	Key, LastModified, ETag string
	Size                    int
}

type common struct{ Prefix string }

// list answers one page of everything, by folders where a delimiter is given.
func (b *bucket) list(w http.ResponseWriter, r *http.Request, name string) {
	prefix, delimiter := r.URL.Query().Get("prefix"), r.URL.Query().Get("delimiter")
	result := struct {
		XMLName        xml.Name `xml:"ListBucketResult"`
		IsTruncated    bool
		Contents       []listed
		CommonPrefixes []common
	}{}
	for _, full := range b.keys(name + "/" + prefix) {
		key := strings.TrimPrefix(full, name+"/")
		if delimiter != "" {
			if folder, _, deeper := strings.Cut(strings.TrimPrefix(key, prefix), delimiter); deeper {
				if c := (common{prefix + folder + delimiter}); !slices.Contains(result.CommonPrefixes, c) {
					result.CommonPrefixes = append(result.CommonPrefixes, c)
				}
				continue
			}
		}
		b.mu.Lock()
		data := b.objects[full]
		b.mu.Unlock()
		result.Contents = append(result.Contents, listed{key, time.Now().UTC().Format(time.RFC3339), etag(data), len(data)})
	}
	w.Header().Set("Content-Type", "application/xml")
	_ = xml.NewEncoder(w).Encode(result)
}
