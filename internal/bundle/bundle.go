// Package bundle is the form in which a record leaves Muster and can be trusted years later: a bundle holds everything of
// one run in one file, and a log proves that the file is the one that was archived then. It knows no workflow, and needs
// nothing but the files and a public key.
package bundle

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// The numbers of the forms that this program writes, and the only ones that it reads.
const (
	Format          = 1
	EncryptedFormat = 2 // of a bundle whose parts are encrypted
)

// Bounds of a bundle. What is larger is neither written nor read.
const (
	MaxSize     = 256 << 20 // bytes of the whole file
	maxManifest = 1 << 20
	maxParts    = 1000
	maxContent  = MaxSize - maxManifest - (maxParts+3)*2*block // bytes of all parts: what stands around them fits too
	maxListed   = 1000                                         // entries of a list in the facts
	maxText     = 256                                          // bytes of a text in the facts
	maxName     = 100                                          // bytes of a part's name: what a tar header holds in one field
)

// The parts that every bundle has. One that holds nothing says so: whoever reads it need not wonder whether it was left out.
const (
	HistoriesPart = "histories.json" // of all runs of the chain, as audit.Encode writes them
	StatePart     = "state.json"     // the last state
	TimelinePart  = "timeline.json"
	EvidencePart  = "evidence.json" // references with their SHA-256
	KeysPart      = "keys.json"     // public keys, by which the actors' signatures are checked
)

// The folders of the parts that a bundle may have.
const (
	DefinitionsFolder = "definitions/" // pinned ones
	ReportsFolder     = "reports/"
)

// The manifest comes before all parts: it says what they are. Its own SHA-256 follows it, as sha256sum writes it.
const (
	manifestPart = "manifest.json"
	digestPart   = "manifest.sha256"
)

// digest is the part that proves the manifest.
func digest(text []byte) []byte { return []byte(sum(text) + "  " + manifestPart + "\n") }

func mandatory() []string {
	return []string{EvidencePart, HistoriesPart, KeysPart, StatePart, TimelinePart}
}

// mediaTypes are by the ending of a part's name.
func mediaTypes() map[string]string {
	return map[string]string{
		".csv": "text/csv; charset=utf-8", ".html": "text/html; charset=utf-8", ".json": "application/json",
		".md": "text/markdown; charset=utf-8", ".pdf": "application/pdf", ".svg": "image/svg+xml",
		".txt": "text/plain; charset=utf-8", ".yaml": "application/yaml",
	}
}

// Facts say which run a bundle is of, for whoever looks for one among many. Lists are sorted. There are neither titles nor
// names of people in them, and no instant of the export: the same run gives the same file.
type Facts struct {
	Workflow  string    `json:"workflow"`            // workflow ID
	Kind      string    `json:"kind"`                // workflow type
	ID        string    `json:"id"`                  // as people call it, such as INC-7K3M9QX2PA
	FirstRun  string    `json:"first_run"`           // the first of Runs
	Runs      []string  `json:"runs"`                // IDs of all runs of the chain, the oldest first
	Customers []string  `json:"customers,omitempty"` // IDs
	Services  []string  `json:"services,omitempty"`  // IDs
	People    []string  `json:"people,omitempty"`    // IDs of whoever was paged, told or has acted
	Priority  string    `json:"priority,omitempty"`
	Outcome   string    `json:"outcome"`           // as what it has ended, or how it stands
	Started   time.Time `json:"started"`           // the first run
	Closed    time.Time `json:"closed,omitzero"`   // zero: it was still running
	Code      []string  `json:"code,omitempty"`    // versions of Muster that ran it
	Changes   []string  `json:"changes,omitempty"` // change IDs in its histories

	PayloadKey string `json:"payload_key,omitempty"` // ID of the key with which all parts are encrypted; empty: they are in clear
}

// format is the number of the form of a bundle.
func (f Facts) format() int {
	if f.PayloadKey != "" {
		return EncryptedFormat
	}
	return Format
}

// mediaType is what a part is, empty where it may not be one.
func (f Facts) mediaType(part string) string {
	kind := mediaTypes()[path.Ext(part)]
	if kind != "" && f.PayloadKey != "" {
		return "application/octet-stream"
	}
	return kind
}

// A part is what the manifest says of one.
type part struct {
	Name      string `json:"name"`
	Size      int64  `json:"size"`
	SHA256    string `json:"sha256"`
	MediaType string `json:"media_type"`
}

type manifest struct {
	Format int `json:"format"`
	Facts
	Parts []part `json:"parts"`
}

// A Bundle is everything of one run: its parts by their names.
type Bundle struct {
	Facts
	Parts map[string][]byte
}

// Write writes a bundle: an uncompressed tar file whose bytes depend on nothing but the bundle.
func Write(w io.Writer, b *Bundle) error {
	m := manifest{Format: b.format(), Facts: b.sorted()}
	for _, name := range slices.Sorted(maps.Keys(b.Parts)) {
		m.Parts = append(m.Parts, part{name, int64(len(b.Parts[name])), sum(b.Parts[name]), b.mediaType(name)})
	}
	if err := errors.Join(m.faults()...); err != nil {
		return fmt.Errorf("write bundle %s: %w", b.ID, err)
	}
	text, err := Canonical(m)
	if err != nil {
		return fmt.Errorf("write bundle %s: %w", b.ID, err)
	}
	if len(text) > maxManifest {
		return fmt.Errorf("write bundle %s: %s: %d bytes, want at most %d", b.ID, manifestPart, len(text), maxManifest)
	}
	t := tar.NewWriter(w)
	err = errors.Join(add(t, manifestPart, text), add(t, digestPart, digest(text)))
	for _, p := range m.Parts {
		err = errors.Join(err, add(t, p.Name, b.Parts[p.Name]))
	}
	if err = errors.Join(err, t.Close()); err != nil {
		return fmt.Errorf("write bundle %s: %w", b.ID, err)
	}
	return nil
}

func add(t *tar.Writer, name string, content []byte) error {
	if err := t.WriteHeader(header(name, int64(len(content)))); err != nil {
		return err
	}
	_, err := t.Write(content)
	return err
}

// header is all that a part may have around it.
func header(name string, size int64) *tar.Header {
	return &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o644, Format: tar.FormatUSTAR}
}

// sorted returns the facts as a manifest has them.
func (f Facts) sorted() Facts {
	for _, list := range []*[]string{&f.Customers, &f.Services, &f.People, &f.Code, &f.Changes} {
		*list = slices.Compact(slices.Sorted(slices.Values(*list)))
	}
	f.Started, f.Closed = f.Started.UTC(), f.Closed.UTC()
	return f
}

// faults are all that is wrong with a manifest.
func (m manifest) faults() (all []error) {
	wrong := func(format string, args ...any) { all = append(all, fmt.Errorf(format, args...)) }
	for _, l := range []struct {
		name  string
		texts []string
	}{
		{"workflow", []string{m.Workflow}},
		{"kind", []string{m.Kind}},
		{"id", []string{m.ID}},
		{"outcome", []string{m.Outcome}},
		{"priority", slices.DeleteFunc([]string{m.Priority}, func(p string) bool { return p == "" })},
		{"payload_key", slices.DeleteFunc([]string{m.PayloadKey}, func(k string) bool { return k == "" })},
		{"runs", m.Runs},
		{"customers", m.Customers},
		{"services", m.Services},
		{"people", m.People},
		{"code", m.Code},
		{"changes", m.Changes},
	} {
		if len(l.texts) > maxListed {
			wrong("%s: %d entries, want at most %d", l.name, len(l.texts), maxListed)
		}
		for _, text := range l.texts {
			if text == "" {
				wrong("%s: missing, or an entry of it is empty", l.name)
			} else if !plain(text) {
				wrong("%s %.40q: want at most %d bytes of printable text", l.name, text, maxText)
			}
		}
	}
	if len(m.Runs) == 0 || m.Runs[0] != m.FirstRun {
		wrong("runs: want all of the chain, the first one, %q, before the others", m.FirstRun)
	}
	if m.Format != m.format() {
		wrong("format %d: want %d with a payload_key, or %d without one", m.Format, EncryptedFormat, Format)
	}
	if m.Started.IsZero() {
		wrong("started: missing")
	}
	if !m.Closed.IsZero() && m.Closed.Before(m.Started) {
		wrong("closed %s: want none before started %s", m.Closed.Format(time.RFC3339Nano), m.Started.Format(time.RFC3339Nano))
	}
	return append(all, m.wrongParts()...)
}

func (m manifest) wrongParts() (all []error) {
	wrong := func(format string, args ...any) { all = append(all, fmt.Errorf(format, args...)) }
	if len(m.Parts) > maxParts {
		wrong("parts: %d, want at most %d", len(m.Parts), maxParts)
	}
	for _, name := range mandatory() {
		if !slices.ContainsFunc(m.Parts, func(p part) bool { return p.Name == name }) {
			wrong("part %s: missing", name)
		}
	}
	left := int64(maxContent)
	for n, p := range m.Parts {
		if !named(p.Name) {
			wrong("part %.120q: want one of %s, or NAME of at most %d bytes in %s or %s: lower-case letters, digits, hyphen, low line, dot",
				p.Name, strings.Join(mandatory(), ", "), maxName, DefinitionsFolder, ReportsFolder)
			continue
		}
		if kind := m.mediaType(p.Name); kind == "" {
			wrong("part %s: ending %q: want one of %s", p.Name, path.Ext(p.Name), strings.Join(slices.Sorted(maps.Keys(mediaTypes())), ", "))
		} else if p.MediaType != kind {
			wrong("part %s: media type %q, want %q", p.Name, p.MediaType, kind)
		}
		if n > 0 && p.Name <= m.Parts[n-1].Name {
			wrong("part %s: stands after %s, want each once, in the order of their names", p.Name, m.Parts[n-1].Name)
		}
		if p.Size < 0 || p.Size > left {
			wrong("part %s: size %d, want at most %d bytes in all", p.Name, p.Size, maxContent)
			return all
		}
		left -= p.Size
	}
	return all
}

var inFolder = regexp.MustCompile(`^(definitions|reports)/[a-z0-9][a-z0-9._-]*$`)

// Fits tells whether a bundle can have a part of a name.
func Fits(part string) bool { return named(part) && mediaTypes()[path.Ext(part)] != "" }

// named tells whether a part may have a name. None leads out of the folder that it is unpacked into, and no two are one where
// capitals do not count.
func named(name string) bool {
	return len(name) <= maxName && (slices.Contains(mandatory(), name) || inFolder.MatchString(name))
}

// plain tells whether a text may stand in facts or in the log.
func plain(text string) bool {
	return len(text) <= maxText && utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) })
}

// Canonical is the one form of a value in JSON: sorted keys, no spaces, one newline at the end.
func Canonical(v any) ([]byte, error) {
	loose, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(loose))
	d.UseNumber()
	var all any
	if err := d.Decode(&all); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b) // sorts the keys
	e.SetEscapeHTML(false)
	err = e.Encode(all)
	return b.Bytes(), err
}

// strict reads what Canonical writes, and nothing else.
func strict(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("want the JSON that Muster writes: %w", err)
	}
	return nil
}

func sum(content []byte) string {
	s := sha256.Sum256(content)
	return hex.EncodeToString(s[:])
}
