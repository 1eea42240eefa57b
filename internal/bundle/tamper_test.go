package bundle_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"muster/internal/bundle"
)

// An archive is all that somebody verifies: files, the log that has them, and a checkpoint that an auditor has kept.
type archive struct {
	files, log map[string][]byte
	kept       []byte
}

const keptFile = "kept.txt"

// archived is an archive of some bundles and a census, which were appended in portions.
func archived(t *testing.T, key pair) archive {
	a := archive{files: map[string][]byte{}, log: map[string][]byte{}}
	var all []bundle.Record
	for n := range 5 {
		name := fmt.Sprintf("INC-%d.tar", n)
		b := example(n)
		if n%2 == 1 { // what is encrypted is proven like what is not, and needs no key for it
			b = encrypted(t, b, payloadKey("payload-a"))
		}
		a.files[name] = write(t, b)
		all = append(all, bundle.Of(bundle.OfBundle, "2026/11/"+name, a.files[name], noon, noon.Add(1)))
	}
	a.files["census-1.json"] = []byte(`{"runs":["r1"]}` + "\n")
	all = append(all, bundle.Of(bundle.OfCensus, "census-1.json", a.files["census-1.json"], noon, noon.Add(1)))
	c, err := relogged(a, key, all, 2, 1, 2, 1)
	if err != nil {
		t.Fatal(err)
	}
	a.kept = []byte(c.Text)
	return a
}

// relogged writes a log of records in portions, of which the last takes the rest.
func relogged(a archive, key pair, all []bundle.Record, portions ...int) (c bundle.Checkpoint, err error) {
	clear(a.log)
	s := &memory{files: a.log}
	l := bundle.New(key.public)
	for n, size := range portions {
		if n == len(portions)-1 || size > len(all) {
			size = len(all)
		}
		if c, err = l.Append(context.Background(), s, key.private, all[:size]...); err != nil {
			return c, err
		}
		all = all[size:]
	}
	return c, nil
}

// verified proves a whole archive.
func verified(a archive, k bundle.Keys) error {
	old, kept := k.Checkpoint(keptFile, a.kept)
	l, err := bundle.Open(context.Background(), &memory{files: a.log}, k)
	if err != nil || kept != nil {
		return errors.Join(err, kept)
	}
	err = l.Continues(keptFile, old)
	for name, content := range a.files {
		_, wrong := bundle.Verify(name, content, l)
		err = errors.Join(err, wrong)
	}
	return err
}

func (a archive) clone() archive {
	return archive{files: maps.Clone(a.files), log: maps.Clone(a.log), kept: a.kept}
}

// A tampering changes an archive and returns the names of files one of which the complaint has to name.
type tampering func(t *rapid.T, a *archive) []string

// anyOf draws one name out of some files.
func anyOf(t *rapid.T, files map[string][]byte) string {
	return rapid.SampledFrom(slices.Sorted(maps.Keys(files))).Draw(t, "file")
}

// twoOf draws two names.
func twoOf(t *rapid.T, files map[string][]byte) (string, string) {
	all := slices.Sorted(maps.Keys(files))
	n := rapid.IntRange(0, len(all)-1).Draw(t, "one")
	m := rapid.IntRange(0, len(all)-2).Draw(t, "other")
	if m >= n {
		m++
	}
	return all[n], all[m]
}

// changed changes the content of any file.
func changed(change func(*rapid.T, []byte) []byte) tampering {
	return func(t *rapid.T, a *archive) []string {
		switch where := rapid.IntRange(0, 6).Draw(t, "where"); {
		case where == 0:
			a.kept = change(t, bytes.Clone(a.kept))
			return []string{keptFile}
		case where < 4:
			name := anyOf(t, a.log)
			a.log[name] = change(t, bytes.Clone(a.log[name]))
			return []string{name}
		}
		name := anyOf(t, a.files)
		a.files[name] = change(t, bytes.Clone(a.files[name]))
		return []string{name}
	}
}

// relined changes the lines of records of a log file.
func relined(change func(t *rapid.T, lines []string) []string) tampering {
	return func(t *rapid.T, a *archive) []string {
		name := anyOf(t, a.log)
		text, checkpoint, _ := strings.Cut(string(a.log[name]), "\n\n")
		before := strings.Split(text, "\n")
		lines := change(t, slices.Clone(before))
		a.log[name] = []byte(strings.Join(lines, "\n") + "\n\n" + checkpoint)
		if slices.Equal(before, lines) { // there was one line to put in another order
			delete(a.log, name)
		}
		return []string{name}
	}
}

func indexOf(t *rapid.T, lines []string) int { return rapid.IntRange(0, len(lines)-1).Draw(t, "line") }

// resigned writes the log anew with other records, as somebody would who has a key: that of the log, or another one of its name.
func resigned(own, by pair, names ...string) tampering {
	return func(t *rapid.T, a *archive) []string {
		l, err := bundle.Open(context.Background(), &memory{files: a.log}, own.public)
		if err != nil {
			t.Fatal(err)
		}
		all := l.Records()
		n, m := rapid.IntRange(0, len(all)-1).Draw(t, "record"), rapid.IntRange(1, len(all)-1).Draw(t, "further")
		switch rapid.IntRange(0, 2).Draw(t, "change") {
		case 0:
			all = slices.Delete(all, n, n+1)
		case 1:
			m = (n + m) % len(all)
			all[n], all[m] = all[m], all[n]
		case 2:
			all[n].SHA256 = sha(all[n].SHA256)
		}
		if _, err := relogged(*a, by, all, 2, 1, 2, 1); err != nil {
			t.Fatal(err)
		}
		return names
	}
}

func tamperings(own, other pair) map[string]tampering {
	return map[string]tampering{
		"flip a byte": changed(func(t *rapid.T, b []byte) []byte {
			b[rapid.IntRange(0, len(b)-1).Draw(t, "at")] ^= rapid.ByteRange(1, 255).Draw(t, "by")
			return b
		}),
		"cut a file": changed(func(t *rapid.T, b []byte) []byte { return b[:rapid.IntRange(0, len(b)-1).Draw(t, "at")] }),
		"insert a byte": changed(func(t *rapid.T, b []byte) []byte {
			at := rapid.IntRange(0, len(b)).Draw(t, "at")
			return slices.Insert(b, at, rapid.Byte().Draw(t, "byte"))
		}),
		"drop an entry": relined(func(t *rapid.T, lines []string) []string {
			n := indexOf(t, lines)
			return slices.Delete(lines, n, n+1)
		}),
		"repeat an entry": relined(func(t *rapid.T, lines []string) []string {
			return slices.Insert(lines, indexOf(t, lines), lines[indexOf(t, lines)])
		}),
		"reorder entries": relined(func(t *rapid.T, lines []string) []string {
			n, m := indexOf(t, lines), indexOf(t, lines)
			lines[n], lines[m] = lines[m], lines[n]
			return lines
		}),
		"insert an entry": relined(func(t *rapid.T, lines []string) []string {
			line := strings.Replace(lines[0], ".tar", fmt.Sprintf("-%d.tar", rapid.IntRange(1, 9).Draw(t, "n")), 1)
			return slices.Insert(lines, indexOf(t, lines), line)
		}),
		"move an entry to another file": func(t *rapid.T, a *archive) []string {
			from, to := twoOf(t, a.log)
			line, rest, _ := strings.Cut(string(a.log[from]), "\n")
			a.log[from], a.log[to] = []byte(rest), []byte(line+"\n"+string(a.log[to]))
			return []string{from, to}
		},
		"drop a file of the log": func(t *rapid.T, a *archive) []string {
			name := anyOf(t, a.log)
			delete(a.log, name)
			return []string{name}
		},
		"swap files of the log": func(t *rapid.T, a *archive) []string {
			one, two := twoOf(t, a.log)
			a.log[one], a.log[two] = a.log[two], a.log[one]
			return []string{one, two}
		},
		"repeat a file of the log": func(t *rapid.T, a *archive) []string {
			name := fmt.Sprintf("%012d.log", rapid.SampledFrom([]int{1, 4, 6, 7, 50}).Draw(t, "n"))
			a.log[name] = a.log[anyOf(t, a.log)]
			return []string{name, "000000000006.log"}
		},
		"roll the log back": func(t *rapid.T, a *archive) []string {
			all := slices.Sorted(maps.Keys(a.log))
			first := rapid.IntRange(1, len(all)-1).Draw(t, "first")
			for _, name := range all[first:] {
				delete(a.log, name)
			}
			return []string{all[first]}
		},
		"swap files of the archive": func(t *rapid.T, a *archive) []string {
			one, two := twoOf(t, a.files)
			a.files[one], a.files[two] = a.files[two], a.files[one]
			return []string{one, two}
		},
		"take one file for another": func(t *rapid.T, a *archive) []string {
			one, two := twoOf(t, a.files)
			a.files[one] = a.files[two]
			return []string{one}
		},
		"write a bundle anew": func(t *rapid.T, a *archive) []string {
			n := rapid.IntRange(0, 4).Draw(t, "n")
			name, b := fmt.Sprintf("INC-%d.tar", n), example(n)
			b.Outcome = rapid.StringMatching(`[a-z]{9,12}`).Draw(t, "outcome")
			var file bytes.Buffer
			if err := bundle.Write(&file, b); err != nil {
				t.Fatal(err)
			}
			a.files[name] = file.Bytes()
			return []string{name}
		},
		"forge a checkpoint": func(t *rapid.T, a *archive) []string {
			// Another log, true in itself, with the signatures of this one.
			forged := a.clone()
			names := resigned(own, own)(t, &forged)
			name := anyOf(t, a.log)
			if forged.log[name] == nil {
				delete(a.log, name)
				return append(names, name)
			}
			old, fresh := bytes.LastIndex(a.log[name], []byte("\n\n")), bytes.LastIndex(forged.log[name], []byte("\n\n"))
			if bytes.Equal(forged.log[name][:fresh], a.log[name][:old]) { // nothing is changed so far: then with another's signature
				forged = a.clone()
				resigned(own, other)(t, &forged)
				fresh = bytes.LastIndex(forged.log[name], []byte("\n\n"))
				a.log[name] = slices.Concat(a.log[name][:old], forged.log[name][fresh:])
				return []string{name}
			}
			a.log[name] = slices.Concat(forged.log[name][:fresh], a.log[name][old:])
			return []string{name}
		},
		"sign with another key": resigned(own, other, "000000000000.log"),
		"sign with the key":     resigned(own, own, keptFile),
	}
}

// Whatever somebody does to an archive, it is seen, and the complaint names a file that it was done to: ten thousand times.
func TestTampering(t *testing.T) {
	own := newPair(t, "archive.example.com")
	whole := archived(t, own)
	if err := verified(whole, own.public); err != nil {
		t.Fatalf("as it was archived: %v", err)
	}
	all := tamperings(own, newPair(t, "archive.example.com"))
	names := slices.Sorted(maps.Keys(all))
	counts := map[string]int{}
	const each = 100 // times the number of checks, which is 100
	rapid.Check(t, func(t *rapid.T) {
		for range each {
			name := rapid.SampledFrom(names).Draw(t, "tampering")
			a := whole.clone()
			files := all[name](t, &a)
			err := verified(a, own.public)
			if err == nil {
				t.Fatalf("%s: nobody sees it", name)
			}
			if !slices.ContainsFunc(files, func(f string) bool { return strings.Contains(err.Error(), f) }) {
				t.Fatalf("%s: the complaint names none of %v: %v", name, files, err)
			}
			counts[name]++
		}
	})
	sum := 0
	for _, name := range names {
		if sum += counts[name]; counts[name] == 0 {
			t.Errorf("%s: never tried", name)
		}
	}
	t.Logf("%d tamperings: %v", sum, counts)
	if err := verified(whole, own.public); err != nil {
		t.Errorf("the archive itself: %v", err)
	}
}
