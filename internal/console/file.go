package console

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"muster/internal/delivery"
	"muster/internal/outbound"
)

// File appends each delivery, as one line of JSON (an outbound.Delivery), to the file of Folder that the contact's
// address names. It makes the folder and the file, for their owner only.
type File struct {
	Folder  string
	Reports string // folder in which attachments lie: a line says where, and does not repeat them

	mu sync.Mutex
}

// Send appends one attempt, and returns when it is on the disk.
func (f *File) Send(_ context.Context, e delivery.Envelope) error {
	name := e.Contact.Address
	if f.Folder == "" {
		return &delivery.Refusal{Detail: "file: no folder is configured"}
	}
	if name == "." || name != filepath.Base(name) || !filepath.IsLocal(name) {
		return &delivery.Refusal{Detail: fmt.Sprintf("file: %q is not the plain name of a file, such as park.jsonl", name)}
	}
	d := outbound.NewDelivery(e)
	for i, a := range e.Attached {
		d.Attachments[i].Path = filepath.Join(f.Reports, filepath.FromSlash(a.Path))
	}
	line, err := json.Marshal(d)
	if err != nil {
		return &delivery.Refusal{Detail: "file: the message cannot be written as JSON: " + err.Error()}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	switch err := f.appendLine(name, line); {
	case errors.Is(err, errIrregular):
		return &delivery.Refusal{Detail: "file: " + err.Error()}
	case err != nil:
		return &delivery.Unavailable{Detail: "file: " + err.Error()}
	}
	return nil
}

var errIrregular = errors.New("not a regular file")

func (f *File) appendLine(name string, line []byte) error {
	if err := os.MkdirAll(f.Folder, 0o700); err != nil {
		return err
	}
	root, err := os.OpenRoot(f.Folder)
	if err != nil {
		return err
	}
	defer root.Close()
	found, err := root.Lstat(name)
	if err == nil && !found.Mode().IsRegular() { // a pipe would block, and a link may lead to somebody else's file
		return fmt.Errorf("append to %s: %w", name, errIrregular)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	file, err := root.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(bytes.Join([][]byte{missingNewline(file), line, []byte("\n")}, nil))
	return errors.Join(err, file.Sync(), file.Close())
}

// missingNewline ends a line that a full disk or a power cut left half written, so that it spoils no other.
func missingNewline(file *os.File) []byte {
	last := make([]byte, 1)
	end, err := file.Seek(0, io.SeekEnd)
	if err != nil || end == 0 {
		return nil
	}
	if _, err := file.ReadAt(last, end-1); err != nil || last[0] == '\n' {
		return nil
	}
	return []byte("\n")
}
