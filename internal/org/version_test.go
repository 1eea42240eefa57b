package org_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"muster/internal/org"
)

const aCommit = "4f2b726c1d0e5a6f7b8c9d0e1f2a3b4c5d6e7f80"

// Each version is told once, with what its files held and which commit was checked out.
func TestEachVersionIsTold(t *testing.T) {
	repo := t.TempDir()
	dir := filepath.Join(repo, "ops")
	if err := os.CopyFS(dir, os.DirFS("../../examples/org")); err != nil {
		t.Fatal(err)
	}
	write := func(name, content string) {
		t.Helper()
		file := filepath.Join(repo, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(".git/HEAD", "ref: refs/heads/main\n")
	write(".git/refs/heads/main", aCommit+"\n")
	l, err := org.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []org.Version
	l.EachVersion(func(v org.Version) { all = append(all, v) })
	if len(all) != 1 || all[0].Revision != l.Current().Revision || all[0].Commit != aCommit || !strings.Contains(all[0].Files["organisation.yaml"], "id:") {
		t.Fatalf("at first: %+v", all)
	}
	_, _ = l.Reload()
	write("ops/organisation.yaml", "no: such\n")
	_, errLoad := l.Reload()
	_, _ = l.Reload()
	if len(all) != 2 || errLoad == nil || all[1].Fault == "" || all[1].Revision == all[0].Revision || all[1].Files["organisation.yaml"] != "no: such\n" {
		t.Errorf("after a fault: %d, %+v", len(all), all[len(all)-1])
	}
}

func TestCommitOfARepository(t *testing.T) {
	for name, tt := range map[string]struct {
		files map[string]string
		want  string
	}{
		"none":            {nil, ""},
		"detached":        {map[string]string{"HEAD": aCommit + "\n"}, aCommit},
		"packed":          {map[string]string{"HEAD": "ref: refs/heads/main\n", "packed-refs": "# pack-refs\n" + aCommit + " refs/heads/main\n"}, aCommit},
		"not born yet":    {map[string]string{"HEAD": "ref: refs/heads/main\n"}, ""},
		"out of the tree": {map[string]string{"HEAD": "ref: ../../etc/passwd\n"}, ""},
		"no commit":       {map[string]string{"HEAD": "something else\n"}, ""},
	} {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS("../../examples/org")); err != nil {
			t.Fatal(err)
		}
		for file, content := range tt.files {
			if err := os.MkdirAll(filepath.Join(dir, ".git"), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, ".git", file), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		l, err := org.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		l.EachVersion(func(v org.Version) {
			if v.Commit != tt.want {
				t.Errorf("%s: got %q, want %q", name, v.Commit, tt.want)
			}
		})
	}
}
