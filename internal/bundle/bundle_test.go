package bundle_test

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"muster/internal/bundle"
)

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// example is a small bundle of an incident.
func example(n int) *bundle.Bundle {
	return &bundle.Bundle{
		Facts: bundle.Facts{
			Workflow: fmt.Sprintf("incident/alertmanager/%d", n), Kind: "Incident", ID: fmt.Sprintf("INC-%d", n), FirstRun: "r1", Runs: []string{"r1", "r0"},
			Customers: []string{"garam", "daon"}, Services: []string{"checkout"}, People: []string{"park", "kim", "park"}, Priority: "P1", Outcome: "resolved",
			Started: noon.In(time.FixedZone("KST", 9*60*60)), Closed: noon.Add(time.Hour), Code: []string{"v1.2.3"}, Changes: []string{"b", "a"},
		},
		Parts: map[string][]byte{
			bundle.HistoriesPart: []byte(`[{"events":[]}]` + "\n"), bundle.StatePart: []byte("{}\n"), bundle.TimelinePart: []byte("[]\n"),
			bundle.EvidencePart: []byte("[]\n"), bundle.KeysPart: []byte(`{"keys":[]}` + "\n"), "definitions/incident.json": []byte("{}\n"),
			"reports/incident-report.ko.md": fmt.Appendf(nil, "# 인시던트 보고서 %d\n", n),
		},
	}
}

func write(t interface{ Fatal(...any) }, b *bundle.Bundle) []byte {
	var file bytes.Buffer
	if err := bundle.Write(&file, b); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// The bytes of a bundle are a promise: what was archived years ago is written and read the same.
func TestBytesStayTheSame(t *testing.T) {
	const want = "9905f9d1d47467e400cb6538663881ba662dacef95965fa3ee4c11fc03e2ed51"
	got := sha256.Sum256(write(t, example(1)))
	if hex.EncodeToString(got[:]) != want {
		t.Errorf("the example has another SHA-256: %x, want %s", got, want)
	}
	again := example(1)
	again.Started, again.People = again.Started.UTC(), []string{"kim", "park"}
	if other := sha256.Sum256(write(t, again)); other != got {
		t.Error("the same facts in another order and zone give other bytes")
	}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	b := example(1)
	got, err := bundle.Read("INC-1.tar", write(t, b))
	if err != nil {
		t.Fatal(err)
	}
	b.Started, b.Customers, b.People, b.Changes = noon, []string{"daon", "garam"}, []string{"kim", "park"}, []string{"a", "b"}
	if d := cmp.Diff(b, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	// A run that goes on has not closed, and the manifest does not say when.
	b.Closed = time.Time{}
	if got, err = bundle.Read("INC-1.tar", write(t, b)); err != nil || !got.Closed.IsZero() {
		t.Errorf("got closed %v, %v; want none", got.Closed, err)
	}
}

// Whoever has no Muster can open a bundle with tar, and read what is in it.
func TestAnyTarReadsIt(t *testing.T) {
	b := example(1)
	r := tar.NewReader(bytes.NewReader(write(t, b)))
	var names []string
	for {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, h.Name)
		switch {
		case h.Name == "manifest.json":
			sorted(t, content)
		case h.Name == "manifest.sha256": // sha256sum -c takes it
		case !bytes.Equal(content, b.Parts[h.Name]):
			t.Errorf("%s: got %q", h.Name, content)
		}
		if h.Mode != 0o644 || h.Uid != 0 || h.Gid != 0 || h.Uname != "" || h.ModTime.Unix() != 0 || h.Format != tar.FormatUSTAR {
			t.Errorf("%s: got %+v", h.Name, h)
		}
	}
	want := append([]string{"manifest.json", "manifest.sha256"}, slices.Sorted(maps.Keys(b.Parts))...)
	if d := cmp.Diff(want, names); d != "" {
		t.Errorf("parts (-want +got):\n%s", d)
	}
}

// sorted asks for JSON that has its keys in order and ends in one newline.
func sorted(t *testing.T, text []byte) {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	again, _ := json.Marshal(v)
	if string(again)+"\n" != string(text) {
		t.Errorf("got %s, want %s", text, again)
	}
}

func TestWriteRefuses(t *testing.T) {
	for want, change := range map[string]func(*bundle.Bundle){
		"part state.json: missing":                                    func(b *bundle.Bundle) { delete(b.Parts, bundle.StatePart) },
		`part "../x.json": want one of evidence.json, histories.json`: func(b *bundle.Bundle) { b.Parts["../x.json"] = nil },
		`part "reports/A.md": want one of`:                            func(b *bundle.Bundle) { b.Parts["reports/A.md"] = nil },
		`part "reports/a/b.md": want`:                                 func(b *bundle.Bundle) { b.Parts["reports/a/b.md"] = nil },
		`part "manifest.json": want`:                                  func(b *bundle.Bundle) { b.Parts["manifest.json"] = nil },
		`part reports/a.exe: ending ".exe": want one of .csv, .html`:  func(b *bundle.Bundle) { b.Parts["reports/a.exe"] = nil },
		"of at most 100 bytes in definitions/": func(b *bundle.Bundle) {
			b.Parts["reports/"+strings.Repeat("a", 100)+".md"] = nil
		},
		"parts: 1008, want at most 1000": func(b *bundle.Bundle) {
			for n := range 1001 {
				b.Parts[fmt.Sprintf("reports/%d.md", n)] = nil
			}
		},
		"outcome: missing": func(b *bundle.Bundle) { b.Outcome = "" },
		"started: missing": func(b *bundle.Bundle) { b.Started = time.Time{} },
		"closed 2026-11-26T11:59:59Z: want none before started 2026-11-26T12:00:00Z": func(b *bundle.Bundle) {
			b.Closed = noon.Add(-time.Second)
		},
		`runs: want all of the chain, the first one, "r9", before the others`: func(b *bundle.Bundle) { b.FirstRun = "r9" },
		"customers: missing, or an entry of it is empty":                      func(b *bundle.Bundle) { b.Customers = []string{""} },
		`people "a\nb": want at most 256 bytes of printable text`:             func(b *bundle.Bundle) { b.People = []string{"a\nb"} },
		"customers: 1001 entries, want at most 1000": func(b *bundle.Bundle) {
			for n := range 1001 {
				b.Customers = append(b.Customers, fmt.Sprint(n))
			}
			b.Customers = b.Customers[2:]
		},
	} {
		b := example(1)
		change(b)
		err := bundle.Write(io.Discard, b)
		if err == nil || !strings.HasPrefix(err.Error(), "write bundle INC-1: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// remade changes the parts of a bundle, as whoever knows its form would.
func remade(t *testing.T, change func(all []file) []file) []byte {
	t.Helper()
	r := tar.NewReader(bytes.NewReader(write(t, example(1))))
	var all []file
	for {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		content, _ := io.ReadAll(r)
		all = append(all, file{h.Name, string(content)})
	}
	all = change(all)
	all[1].content = sha(all[0].content) + "  manifest.json\n"
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, f := range all {
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: f.name, Size: int64(len(f.content)), Mode: 0o644, Format: tar.FormatUSTAR}); err != nil {
			t.Fatal(err)
		}
		_, _ = w.Write([]byte(f.content))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

type file struct{ name, content string }

// inManifest changes the text of the manifest.
func inManifest(old, with string) func([]file) []file {
	return func(all []file) []file {
		all[0].content = strings.Replace(all[0].content, old, with, 1)
		return all
	}
}

func TestReadRefuses(t *testing.T) {
	whole, evidence := write(t, example(1)), `"evidence.json","sha256":"`+sha("[]\n")+`","size":`
	for want, content := range map[string][]byte{
		`want a bundle: a tar file that begins with manifest.json, not with ""`:               nil,
		`want a bundle: a tar file that begins with manifest.json, not with "PK`:              []byte("PK\x03\x04"),
		"want part evidence.json, found \"histories.json\"":                                   remade(t, func(all []file) []file { return slices.Delete(all, 3, 4) }),
		"want part definitions/incident.json, found \"evidence.json\"":                        remade(t, func(all []file) []file { all[2], all[3] = all[3], all[2]; return all }),
		"want part state.json, found \"reports/incident-report.ko.md\"":                       remade(t, func(all []file) []file { return slices.Insert(all, 7, all[6]) }),
		"want the end, found \"x.json\", which the manifest does not name":                    remade(t, func(all []file) []file { return append(all, file{"x.json", "{}"}) }),
		"want part timeline.json, found none":                                                 remade(t, func(all []file) []file { return all[:8] }),
		"size in its header: not as Muster writes it":                                         remade(t, func(all []file) []file { all[2].content += "x"; return all }),
		"part evidence.json: its SHA-256 is":                                                  remade(t, func(all []file) []file { all[3].content = "{}\n"; return all }),
		"format 3: this program reads formats 1 and 2":                                        remade(t, inManifest(`"format":1`, `"format":3`)),
		"format 2: want 2 with a payload_key, or 1 without one":                               remade(t, inManifest(`"format":1`, `"format":2`)),
		"unknown field \"title\"":                                                             remade(t, inManifest(`"started"`, `"title":"x","started"`)),
		"not as Muster writes it: want sorted keys and lists":                                 remade(t, inManifest(`"format":1,`, `"format": 1,`)),
		"part state.json: missing":                                                            remade(t, inManifest(`state.json`, `reports/a.json`)),
		"part evidence.json: media type \"text/html\", want \"application/json\"":             remade(t, inManifest(`"application/json","name":"evidence`, `"text/html","name":"evidence`)),
		"part histories.json: stands after histories.json, want each once":                    remade(t, inManifest(`"evidence.json"`, `"histories.json"`)),
		"part evidence.json: size -3, want at most":                                           remade(t, inManifest(evidence+"3", evidence+"-3")),
		"part evidence.json: size 9000000000000000000, want":                                  remade(t, inManifest(evidence+"3", evidence+"9000000000000000000")),
		fmt.Sprintf("want %d bytes, got %d", len(whole), len(whole)+1):                        append(bytes.Clone(whole), 0),
		fmt.Sprintf("want %d bytes, got %d", len(whole), len(whole)-1):                        whole[:len(whole)-1],
		fmt.Sprintf("part timeline.json: the file is cut off at byte %d", len(whole)-2*512-1): whole[:len(whole)-2*512-1],
	} {
		_, err := bundle.Read("INC-1.tar", content)
		if err == nil || !strings.HasPrefix(err.Error(), "read bundle INC-1.tar: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func sha(text string) string {
	s := sha256.Sum256([]byte(text))
	return hex.EncodeToString(s[:])
}

// Every single byte of a bundle counts, whichever it is.
func TestEveryByteCounts(t *testing.T) {
	whole := write(t, example(1))
	for at := range whole {
		whole[at] ^= 1
		if _, err := bundle.Read("INC-1.tar", whole); err == nil {
			t.Errorf("byte %d is changed, and nobody sees it", at)
		}
		whole[at] ^= 1
	}
}

// Whatever is in its parts, a bundle is read as it was written.
func TestAnyBundleIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := example(rapid.IntRange(1, 9).Draw(t, "n"))
		b.Services = rapid.SliceOfN(rapid.StringMatching(`[가-힣a-z<&"\\ ]{1,9}`), 0, 5).Draw(t, "services")
		for name := range b.Parts {
			b.Parts[name] = rapid.SliceOfN(rapid.Byte(), 0, 1100).Draw(t, name)
		}
		for _, name := range rapid.SliceOfN(rapid.StringMatching(`(reports|definitions)/[a-z0-9][a-z0-9._-]{0,30}\.(md|pdf)`), 0, 5).Draw(t, "names") {
			b.Parts[name] = rapid.SliceOfN(rapid.Byte(), 0, 2).Draw(t, name)
		}
		got, err := bundle.Read("x.tar", write(t, b))
		if err != nil {
			t.Fatal(err)
		}
		for name, content := range b.Parts {
			if !bytes.Equal(got.Parts[name], content) {
				t.Fatalf("%s: got %q, want %q", name, got.Parts[name], content)
			}
		}
	})
}

// What is read is what would be written: there is no second file that says the same.
func FuzzRead(f *testing.F) {
	whole := write(f, example(1))
	f.Add(whole)
	f.Add(whole[:700])
	f.Add([]byte(strings.Repeat("manifest.json\x00", 100)))
	f.Fuzz(func(t *testing.T, content []byte) {
		b, err := bundle.Read("x.tar", content)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "read bundle x.tar: ") {
				t.Errorf("the error does not name the file: %v", err)
			}
			return
		}
		if !bytes.Equal(write(t, b), content) {
			t.Error("it was read, and is not what would be written")
		}
	})
}
