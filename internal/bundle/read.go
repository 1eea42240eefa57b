package bundle

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// block is what a tar file is made of.
const block = 512

// Read reads the content of a file that Write has written. It takes these bytes and no others: whatever byte of a part, a
// header or the padding between them differs, the error says where. The parts share their memory with content.
func Read(file string, content []byte) (*Bundle, error) {
	b, err := read(content)
	if err != nil {
		return nil, fmt.Errorf("read bundle %s: %w", file, err)
	}
	return b, nil
}

func read(content []byte) (*Bundle, error) {
	if len(content) > MaxSize {
		return nil, fmt.Errorf("%d bytes, want at most %d", len(content), MaxSize)
	}
	r := &reader{content: content}
	text, err := r.manifest()
	if err != nil {
		return nil, err
	}
	proof, err := r.part(digestPart, int64(len(digest(nil))))
	if err != nil {
		return nil, err
	}
	if want := digest(text); !bytes.Equal(proof, want) {
		return nil, fmt.Errorf("%s: want %.64s in it, got %.64q: one of it and %s was changed", digestPart, want, proof, manifestPart)
	}
	m, err := decodeManifest(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", manifestPart, err)
	}
	b := &Bundle{Facts: m.Facts, Parts: map[string][]byte{}}
	for _, p := range m.Parts {
		in, err := r.part(p.Name, p.Size)
		if err != nil {
			return nil, err
		}
		if got := sum(in); got != p.SHA256 {
			return nil, fmt.Errorf("part %s: its SHA-256 is %s, want %s as the manifest says", p.Name, got, p.SHA256)
		}
		b.Parts[p.Name] = in
	}
	return b, r.end()
}

// decodeManifest reads the text of a manifest. One that is not in its one form is not taken.
func decodeManifest(text []byte) (m manifest, err error) {
	var of struct{ Format int }
	if err := json.Unmarshal(text, &of); err != nil {
		return m, fmt.Errorf("want the JSON that Muster writes: %w", err)
	}
	if of.Format != Format && of.Format != EncryptedFormat {
		return m, fmt.Errorf("format %d: this program reads formats %d and %d; want the muster that has written it, or a newer one", of.Format, Format, EncryptedFormat)
	}
	if err := strict(text, &m); err != nil {
		return m, err
	}
	if err := errors.Join(m.faults()...); err != nil {
		return m, err
	}
	m.Facts = m.sorted()
	again, err := Canonical(m)
	if err != nil {
		return m, err
	}
	if at := differs(text, again); at >= 0 {
		return m, fmt.Errorf("byte %d: not as Muster writes it: want sorted keys and lists, each once, instants in UTC, no spaces", at)
	}
	return m, nil
}

// A reader goes through a tar file whose every byte is known but for what is in the parts.
type reader struct {
	content []byte
	at      int
}

// manifest reads the first part, of which only the name is known.
func (r *reader) manifest() ([]byte, error) {
	const sizeAt, sizeEnd = 124, 135
	first := r.content[:min(len(r.content), block)]
	if name := nameIn(first); name != manifestPart {
		return nil, fmt.Errorf("want a bundle: a tar file that begins with %s, not with %.40q", manifestPart, name)
	}
	if len(first) < block {
		return nil, r.short(manifestPart)
	}
	size, err := strconv.ParseInt(string(first[sizeAt:sizeEnd]), 8, 64)
	if err != nil || size > maxManifest {
		return nil, fmt.Errorf("%s: size %q in its header: want at most %d, in octal digits", manifestPart, first[sizeAt:sizeEnd], maxManifest)
	}
	return r.part(manifestPart, size)
}

// part reads the next part with what stands around it.
func (r *reader) part(name string, size int64) ([]byte, error) {
	if len(r.content)-r.at < block {
		return nil, r.short(name)
	}
	got, want := r.content[r.at:r.at+block], headerBlock(name, size)
	if at := differs(got, want); at >= 0 {
		if found := nameIn(got); found != name {
			if found == "" {
				return nil, fmt.Errorf("byte %d: want part %s, found none", r.at, name)
			}
			return nil, fmt.Errorf("byte %d: want part %s, found %.120q", r.at, name, found)
		}
		return nil, fmt.Errorf("part %s: byte %d, %s in its header: not as Muster writes it", name, r.at+at, field(at))
	}
	begin := r.at + block
	if int64(len(r.content)-begin) < size {
		return nil, r.short(name)
	}
	end := begin + int(size)
	r.at = end + (block-end%block)%block
	if r.at > len(r.content) {
		return nil, r.short(name)
	}
	if at := notZero(r.content[end:r.at]); at >= 0 {
		return nil, fmt.Errorf("part %s: byte %d, in the padding after it: want zero", name, end+at)
	}
	return r.content[begin:end:end], nil
}

// end asks that nothing follows but the mark of the end.
func (r *reader) end() error {
	const mark = 2 * block
	rest := r.content[r.at:]
	if at := notZero(rest[:min(len(rest), mark)]); at >= 0 {
		if name := nameIn(rest); at < block && name != "" {
			return fmt.Errorf("byte %d: want the end, found %.120q, which the manifest does not name", r.at, name)
		}
		return fmt.Errorf("byte %d, in the mark of the end: want zero", r.at+at)
	}
	if len(rest) != mark {
		return fmt.Errorf("want %d bytes, got %d", r.at+mark, len(r.content))
	}
	return nil
}

func (r *reader) short(name string) error {
	return fmt.Errorf("part %s: the file is cut off at byte %d, within it or before it", name, len(r.content))
}

// headerBlock is the header of a part as it stands in the file.
func headerBlock(name string, size int64) []byte {
	var b bytes.Buffer
	if err := tar.NewWriter(&b).WriteHeader(header(name, size)); err != nil {
		return nil // a name that no part may have; it differs from whatever is there
	}
	return b.Bytes()
}

// nameIn is the name that a header has.
func nameIn(header []byte) string {
	name, _, _ := strings.Cut(string(header[:min(len(header), maxName)]), "\x00")
	return name
}

// field says what stands at an offset of a header.
func field(at int) string {
	for _, f := range []struct {
		end  int
		name string
	}{
		{100, "name"},
		{108, "mode"},
		{116, "owner"},
		{124, "group"},
		{136, "size"},
		{148, "time"},
		{156, "checksum"},
		{157, "type"},
		{257, "link"},
		{265, "magic"},
		{297, "owner's name"},
		{329, "group's name"},
		{345, "device"},
		{500, "folder"},
	} {
		if at < f.end {
			return f.name
		}
	}
	return "padding"
}

// differs returns where two texts differ first, -1 where they are equal.
func differs(a, b []byte) int {
	if bytes.Equal(a, b) {
		return -1
	}
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

func notZero(b []byte) int {
	return bytes.IndexFunc(b, func(r rune) bool { return r != 0 })
}
