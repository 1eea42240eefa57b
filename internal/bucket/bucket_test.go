package bucket_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"muster/internal/bucket"
)

// s3 is what an archive needs of Amazon S3: it writes a file once, reads, lists and removes.
type s3 struct {
	mu     sync.Mutex
	files  map[string][]byte
	broken bool
}

func (s *s3) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken {
		http.Error(w, "<Error><Code>AccessDenied</Code></Error>", http.StatusForbidden) // 5xx is tried again for seconds
		return
	}
	name := strings.TrimPrefix(r.URL.Path, "/archive/")
	switch {
	case r.Method == http.MethodGet && r.URL.Query().Get("list-type") == "2":
		s.list(w, r.URL.Query().Get("prefix"))
	case r.Method == http.MethodPut:
		if _, there := s.files[name]; there && r.Header.Get("If-None-Match") == "*" {
			http.Error(w, "<Error><Code>PreconditionFailed</Code></Error>", http.StatusPreconditionFailed)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		s.files[name] = body
	case r.Method == http.MethodDelete:
		delete(s.files, name)
		w.WriteHeader(http.StatusNoContent)
	default:
		content, there := s.files[name]
		if !there {
			http.Error(w, "<Error><Code>NoSuchKey</Code></Error>", http.StatusNotFound)
			return
		}
		http.ServeContent(w, r, "", time.Unix(1, 0), bytes.NewReader(content))
	}
}

func (s *s3) list(w http.ResponseWriter, prefix string) {
	type object struct {
		Key, LastModified, ETag string
		Size                    int
	}
	var out struct {
		XMLName  xml.Name `xml:"ListBucketResult"`
		Contents []object
	}
	for name, content := range s.files {
		if strings.HasPrefix(name, prefix) {
			out.Contents = append(out.Contents, object{name, "2026-11-26T00:00:00.000Z", `"1"`, len(content)})
		}
	}
	_ = xml.NewEncoder(w).Encode(out)
}

// both are a folder and a store, each empty.
func both(t *testing.T) map[string]*bucket.Bucket {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", "id")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	server := httptest.NewServer(&s3{files: map[string][]byte{}})
	t.Cleanup(server.Close)
	all := map[string]*bucket.Bucket{}
	for name, where := range map[string]string{
		"folder": filepath.Join(t.TempDir(), "not", "there yet"),
		"store":  fmt.Sprintf("s3://archive?region=eu-north-1&prefix=muster/&endpoint=%s&use_path_style=true&request_checksum_calculation=when_required", server.URL),
	} {
		b, err := bucket.Open(t.Context(), where)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		})
		all[name] = b
	}
	return all
}

func TestAFileIsWrittenOnce(t *testing.T) {
	for where, b := range both(t) {
		ctx := t.Context()
		if _, err := b.Get(ctx, "log/1", 100); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: of a file that is not there: %v", where, err)
		}
		if names, err := b.List(ctx, "log"); err != nil || len(names) > 0 {
			t.Errorf("%s: of an empty one: %v, %v", where, names, err)
		}
		for _, name := range []string{"log/1", "log/2", "bundles/2026/11/a.tar"} {
			if err := b.Create(ctx, name, []byte("of "+name)); err != nil {
				t.Fatalf("%s: %v", where, err)
			}
		}
		if err := b.Create(ctx, "log/1", []byte("another")); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s: of a file that is there: %v", where, err)
		}
		if content, err := b.Get(ctx, "log/1", 100); err != nil || string(content) != "of log/1" {
			t.Errorf("%s: it reads %q, %v", where, content, err)
		}
		if _, err := b.Get(ctx, "log/1", 3); err == nil || !strings.Contains(err.Error(), "more than 3 bytes") {
			t.Errorf("%s: of a file that is too large: %v", where, err)
		}
		for folder, want := range map[string][]string{"log": {"1", "2"}, "bundles": {"2026/11/a.tar"}, "lo": nil} {
			names, err := b.List(ctx, folder)
			slices.Sort(names)
			if err != nil || !slices.Equal(names, want) {
				t.Errorf("%s: in %s are %v, %v, want %v", where, folder, names, err, want)
			}
		}
		for range 2 { // the second time there is none
			if err := b.Remove(ctx, "log/1"); err != nil {
				t.Errorf("%s: %v", where, err)
			}
		}
		if names, err := b.List(ctx, "log"); err != nil || !slices.Equal(names, []string{"2"}) {
			t.Errorf("%s: when one is removed: %v, %v", where, names, err)
		}
	}
}

// Of many who write one file, one does.
func TestTwoWriters(t *testing.T) {
	b := both(t)["folder"]
	var (
		all  sync.WaitGroup
		mu   sync.Mutex
		done int
	)
	for n := range 20 {
		all.Go(func() {
			err := b.Create(t.Context(), "log/1", []byte(strings.Repeat("x", n)))
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				done++
			} else if !errors.Is(err, fs.ErrExist) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if done != 1 {
		t.Errorf("%d have written it", done)
	}
}

// What a crash has left half written is no file.
func TestWhatIsHalfWrittenIsNotThere(t *testing.T) {
	folder := t.TempDir()
	b, err := bucket.Open(t.Context(), folder)
	if err == nil {
		err = b.Create(t.Context(), "log/1", []byte("whole"))
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, "log", ".tmp-123"), []byte("ha"), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if names, err := b.List(t.Context(), "log"); err != nil || !slices.Equal(names, []string{"1"}) {
		t.Errorf("got %v, %v", names, err)
	}
}

func TestWhereNoArchiveCanBe(t *testing.T) {
	for where, want := range map[string]string{
		"gs://archive":        `"gs://archive": want a folder, or s3://BUCKET?region=REGION`,
		"s3://":               `"s3://": want a folder`,
		"s3://archive?moon=1": "open archive s3://archive: ",
		"/dev/null/archive":   "open archive: mkdir",
	} {
		if _, err := bucket.Open(t.Context(), where); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", where, err, want)
		}
	}
}

func TestAStoreThatFails(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "id")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	server := httptest.NewServer(&s3{broken: true})
	defer server.Close()
	b, err := bucket.Open(t.Context(), "s3://archive?region=eu-north-1&use_path_style=true&endpoint="+server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	_, errGet := b.Get(t.Context(), "log/1", 10)
	_, errList := b.List(t.Context(), "log")
	for _, err := range []error{errGet, errList, b.Create(t.Context(), "log/1", nil)} {
		if err == nil || errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "s3://archive/log") {
			t.Errorf("got %v", err)
		}
	}
}
