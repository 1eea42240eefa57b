package org

import (
	"bufio"
	"bytes"
	"os"
	"path/filepath"
	"strings"
)

// A Version is what an organisation folder held when it was read.
type Version struct {
	Revision string            `json:"revision"`
	Commit   string            `json:"commit,omitempty"` // that was checked out in the Git repository of the folder; its files may differ
	Fault    string            `json:"fault,omitempty"`  // why it was refused; empty: it is in use
	Files    map[string]string `json:"files"`            // name → content
}

// EachVersion has somebody told of the version in use, and of each that is loaded or refused from now on. It is waited for.
func (l *Live) EachVersion(tell func(Version)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told = tell
	if f, err := readFolder(l.dir); err == nil && f.revision == l.Current().Revision { // else the next look tells
		tell(f.version(nil))
	}
}

// RefusedVersion is a folder that was refused for a reason, as it is now. There is none of one that cannot be read.
func RefusedVersion(dir string, fault error) (v Version, there bool) {
	f, err := readFolder(dir)
	if err != nil {
		return v, false
	}
	return f.version(fault), true
}

func (f *folder) version(fault error) Version {
	v := Version{Revision: f.revision, Commit: commitOf(f.dir), Files: map[string]string{}}
	if fault != nil {
		v.Fault = fault.Error()
	}
	for name, content := range f.files {
		v.Files[name] = string(content)
	}
	return v
}

// commitOf reads which commit is checked out where a folder is, without Git; empty where there is no repository.
func commitOf(dir string) string {
	dir, err := filepath.Abs(dir)
	for above := ""; err == nil && dir != above; dir, above = filepath.Dir(dir), dir {
		head, err := os.ReadFile(filepath.Join(dir, ".git", "HEAD"))
		if err != nil {
			continue
		}
		ref, is := strings.CutPrefix(strings.TrimSpace(string(head)), "ref: ")
		if !is {
			return aCommit(ref)
		}
		if !filepath.IsLocal(ref) {
			return ""
		}
		if commit, err := os.ReadFile(filepath.Join(dir, ".git", filepath.FromSlash(ref))); err == nil {
			return aCommit(strings.TrimSpace(string(commit)))
		}
		packed, err := os.ReadFile(filepath.Join(dir, ".git", "packed-refs"))
		if err != nil {
			return ""
		}
		for lines := bufio.NewScanner(bytes.NewReader(packed)); lines.Scan(); {
			if commit, name, ok := strings.Cut(lines.Text(), " "); ok && name == ref {
				return aCommit(commit)
			}
		}
		return ""
	}
	return ""
}

// aCommit is a text that is the ID of a commit, else nothing.
func aCommit(text string) string {
	if (len(text) == 40 || len(text) == 64) && strings.Trim(text, "0123456789abcdef") == "" {
		return text
	}
	return ""
}
