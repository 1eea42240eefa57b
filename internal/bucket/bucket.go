// Package bucket keeps the files of an archive in a folder or in a store that speaks the protocol of Amazon S3.
package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"

	"gocloud.dev/blob"
	_ "gocloud.dev/blob/s3blob" // s3://
	"gocloud.dev/gcerrors"

	"muster/internal/wholefile"
)

// A Bucket keeps files under names such as log/000000000000.log. Each is written once, whole, and never changed.
type Bucket struct {
	where  string
	folder string       // or
	remote *blob.Bucket // all of what is in it belongs to the archive, below its prefix
}

// Open opens a folder, which is made where there is none, or "s3://BUCKET?region=REGION", with "&prefix=FOLDER/" for a part of the
// bucket, and "&endpoint=URL&use_path_style=true" for a store of one's own. Its credentials are those of the environment, as Amazon's own
// tools find them.
func Open(ctx context.Context, where string) (*Bucket, error) {
	if !strings.Contains(where, "://") {
		if err := os.MkdirAll(where, 0o700); err != nil {
			return nil, fmt.Errorf("open archive: %w", err)
		}
		return &Bucket{where: where, folder: where}, nil
	}
	u, err := url.Parse(where)
	if err != nil || u.Scheme != "s3" || u.Host == "" {
		return nil, fmt.Errorf("open archive %q: want a folder, or s3://BUCKET?region=REGION", where)
	}
	prefix := u.Query().Get("prefix")
	remote, err := blob.OpenBucket(ctx, where)
	if err != nil {
		return nil, fmt.Errorf("open archive s3://%s: %w", path.Join(u.Host, prefix), err)
	}
	return &Bucket{where: "s3://" + path.Join(u.Host, prefix), remote: remote}, nil
}

// Existing opens what is there already, to read it.
func Existing(ctx context.Context, where string) (*Bucket, error) {
	if !strings.Contains(where, "://") {
		if is, err := os.Stat(where); err != nil || !is.IsDir() {
			return nil, fmt.Errorf("open archive %s: there is no such folder", where)
		}
	}
	return Open(ctx, where)
}

// Close lets go of a store.
func (b *Bucket) Close() error {
	if b.remote == nil {
		return nil
	}
	return b.remote.Close()
}

// String names the archive, without credentials.
func (b *Bucket) String() string { return b.where }

// List names all files below a folder, such as "log", by their names in it. What a crash has left half written is none of them.
func (b *Bucket) List(ctx context.Context, folder string) (names []string, err error) {
	if b.remote == nil {
		return b.walk(folder)
	}
	each := b.remote.List(&blob.ListOptions{Prefix: folder + "/"})
	for {
		o, err := each.Next(ctx)
		if errors.Is(err, io.EOF) {
			return names, nil
		}
		if err != nil {
			return nil, fmt.Errorf("list %s/%s: %w", b, folder, err)
		}
		names = append(names, strings.TrimPrefix(o.Key, folder+"/"))
	}
}

func (b *Bucket) walk(folder string) (names []string, err error) {
	root := filepath.Join(b.folder, filepath.FromSlash(folder))
	err = filepath.WalkDir(root, func(file string, e fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist) && file == root: // nothing was written there yet
			return nil
		case err != nil:
			return err
		case e.IsDir() || strings.HasPrefix(e.Name(), wholefile.Unfinished):
			return nil
		}
		name, err := filepath.Rel(root, file)
		names = append(names, filepath.ToSlash(name))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", root, err)
	}
	return names, nil
}

// Get reads a file of at most so many bytes. Where there is none, its error is fs.ErrNotExist.
func (b *Bucket) Get(ctx context.Context, name string, most int64) ([]byte, error) {
	var (
		r   io.ReadCloser
		err error
	)
	if b.remote == nil {
		r, err = os.Open(b.file(name))
	} else if r, err = b.remote.NewReader(ctx, name, nil); gcerrors.Code(err) == gcerrors.NotFound {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", b.at(name), err)
	}
	content, err := io.ReadAll(io.LimitReader(r, most+1))
	if err = errors.Join(err, r.Close()); err == nil && int64(len(content)) > most {
		err = fmt.Errorf("more than %d bytes", most)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", b.at(name), err)
	}
	return content, nil
}

// Create writes a file whole, or not at all. Where there is one of that name, its error is fs.ErrExist.
func (b *Bucket) Create(ctx context.Context, name string, content []byte) error {
	if b.remote == nil {
		if err := os.MkdirAll(filepath.Dir(b.file(name)), 0o700); err != nil {
			return fmt.Errorf("write %s: %w", b.at(name), err)
		}
		return wholefile.Create(b.file(name), content, 0o600)
	}
	err := b.remote.WriteAll(ctx, name, content, &blob.WriterOptions{IfNotExist: true, ContentType: "application/octet-stream"})
	if gcerrors.Code(err) == gcerrors.FailedPrecondition {
		err = fs.ErrExist
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", b.at(name), err)
	}
	return nil
}

// Remove takes a file away. Where there is none, that is none of its errors.
func (b *Bucket) Remove(ctx context.Context, name string) error {
	var err error
	if b.remote == nil {
		err = os.Remove(b.file(name))
	} else if err = b.remote.Delete(ctx, name); gcerrors.Code(err) == gcerrors.NotFound {
		err = nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove %s: %w", b.at(name), err)
	}
	return nil
}

func (b *Bucket) file(name string) string { return filepath.Join(b.folder, filepath.FromSlash(name)) }

func (b *Bucket) at(name string) string { return b.where + "/" + name }

// A Part is one folder of a bucket.
type Part struct {
	Bucket *Bucket
	Folder string
	Most   int64 // bytes of a file
}

// List names the files of the folder.
func (p Part) List(ctx context.Context) ([]string, error) { return p.Bucket.List(ctx, p.Folder) }

// Get reads one of them.
func (p Part) Get(ctx context.Context, name string) ([]byte, error) {
	return p.Bucket.Get(ctx, path.Join(p.Folder, name), p.Most)
}

// Create writes one of them, as that of a bucket.
func (p Part) Create(ctx context.Context, name string, content []byte) error {
	return p.Bucket.Create(ctx, path.Join(p.Folder, name), content)
}
