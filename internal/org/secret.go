package org

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// A Secret is text that nobody may see: it prints and marshals as <secret>. string(s) is the text itself.
type Secret string

const notShown = "<secret>"

// Format prints <secret>, whatever the verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, notShown) }

// MarshalText returns <secret>: for JSON and for logs.
func (Secret) MarshalText() ([]byte, error) { return []byte(notShown), nil }

// A ref says where a secret is kept. It is read whenever the secret is used, so a new one needs no restart.
type ref struct{ scheme, name string }

var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// parseRef reads env:NAME and file:PATH, where PATH is relative to the folder.
func parseRef(s string) (ref, bool) {
	scheme, name, _ := strings.Cut(s, ":")
	switch scheme {
	case "env":
		return ref{scheme, name}, variable.MatchString(name)
	case "file":
		_, ok := aLine(name)
		return ref{scheme, name}, ok
	}
	return ref{}, false
}

// String returns the reference, which is no secret.
func (r ref) String() string { return r.scheme + ":" + r.name }

const maxSecret = 64 << 10

func (r ref) resolve(dir string) (string, error) {
	if r.scheme == "env" {
		if v := os.Getenv(r.name); v != "" {
			return v, nil
		}
		return "", fmt.Errorf("%s: not set in the environment of this process", r)
	}
	path := r.name
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	content, _, err := readRegular(path, maxSecret)
	if err != nil {
		return "", fmt.Errorf("%s: %w", r, unwrapPath(err))
	}
	if v := strings.TrimRight(string(content), "\r\n"); v != "" {
		return v, nil
	}
	return "", fmt.Errorf("%s: empty", r)
}

// An address stands in the folder or is referred to from it.
type address struct {
	plain Secret // webhook URLs often are secrets
	ref   ref
}

func (a address) resolve(dir string) (string, error) {
	if a.ref == (ref{}) {
		return string(a.plain), nil
	}
	return a.ref.resolve(dir)
}

// optional resolves a reference that may not have been made.
func (r ref) optional(dir string) (string, error) {
	if r == (ref{}) {
		return "", nil
	}
	return r.resolve(dir)
}

var (
	errIrregular = errors.New("not a regular file")
	errTooLarge  = errors.New("too large")
)

// readRegular reads a file that is no pipe, on which reading would wait for ever, and that is not larger than most.
func readRegular(path string, most int64) ([]byte, os.FileInfo, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, nil, errIrregular
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, nil, err
	}
	if int64(len(content)) > most {
		return nil, nil, fmt.Errorf("%w: want at most %d bytes", errTooLarge, most)
	}
	return content, info, nil
}
