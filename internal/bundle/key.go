package bundle

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

var keyName = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]{0,62}[a-z0-9])?$`)

// NewKey makes a key that signs for a log. Its name is that of the log too: like a host name, such as archive.example.com.
func NewKey(name string) (private, public string, err error) {
	if !keyName.MatchString(name) {
		return "", "", fmt.Errorf("make key %.80q: want a name like archive.example.com: at most 64 lower-case letters, digits, dots and hyphens", name)
	}
	return note.GenerateKey(rand.Reader, name)
}

// Keys are the public keys of a log: the one that signs, and those that have signed before it.
type Keys struct {
	log   string
	known note.Verifiers
}

// ParseKeys reads public keys, one a line, as NewKey makes them. file names their file in errors.
func ParseKeys(file string, text []byte) (Keys, error) {
	const most = 100
	var k Keys
	var lines []string
	var all []note.Verifier
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || slices.Contains(lines, line) {
			continue
		}
		v, err := note.NewVerifier(line)
		switch {
		case strings.HasPrefix(line, "PRIVATE+KEY+"):
			return k, fmt.Errorf("read public key %s: it holds the private half: keep that to yourself; want the public one", file)
		case err != nil:
			return k, fmt.Errorf("read public key %s: %w: want a line such as muster audit keygen prints", file, err)
		case k.log != "" && k.log != v.Name():
			return k, fmt.Errorf("read public key %s: keys of %s and of %s: want those of one log", file, k.log, v.Name())
		case len(all) == most:
			return k, fmt.Errorf("read public key %s: want at most %d", file, most)
		}
		k.log, lines, all = v.Name(), append(lines, line), append(all, v)
	}
	if len(all) == 0 {
		return k, fmt.Errorf("read public key %s: none in the file", file)
	}
	k.known = note.VerifierList(all...)
	return k, nil
}

// A Checkpoint says how a log stood: how many entries it had, and the root hash of the tree over them. Whoever keeps one can
// tell later that nothing before it was changed, dropped or put in another order.
type Checkpoint struct {
	Log  string    `json:"log"`
	Size int64     `json:"size"` // entries
	Root tlog.Hash `json:"root"`
	Key  string    `json:"key"` // name and hash of the key that has signed it
	Text string    `json:"text"`
}

// text is what is signed: the form of a checkpoint at c2sp.org/tlog-checkpoint.
func (c Checkpoint) text() string { return fmt.Sprintf("%s\n%d\n%s\n", c.Log, c.Size, c.Root) }

// sign fills in the rest of a checkpoint.
func (c Checkpoint) sign(s note.Signer) (Checkpoint, error) {
	signed, err := note.Sign(&note.Note{Text: c.text()}, s)
	c.Text, c.Key = string(signed), keyID(s.Name(), s.KeyHash())
	return c, err
}

func keyID(name string, hash uint32) string { return fmt.Sprintf("%s+%08x", name, hash) }

// Checkpoint reads a signed checkpoint, or the one that ends a file of a log.
func (k Keys) Checkpoint(file string, text []byte) (Checkpoint, error) {
	if strings.HasPrefix(string(text), "{") {
		_, text, _ = bytes.Cut(text, []byte("\n\n"))
	}
	c, err := k.checkpoint(text)
	if err != nil {
		return c, fmt.Errorf("read checkpoint %s: %w", file, err)
	}
	return c, nil
}

// CheckpointsIn reads the checkpoints of this log that stand somewhere in a text, such as the messages by which they came, also as JSON.
func (k Keys) CheckpointsIn(file string, text []byte) (all []Checkpoint, err error) {
	const signed, signature = 4, "— "
	lines := strings.Split(strings.NewReplacer("\r\n", "\n", `\r\n`, "\n", `\n`, "\n").Replace(string(text)), "\n")
	for n := range lines {
		end := n + signed
		for end < len(lines) && strings.HasPrefix(lines[end], signature) {
			end++
		}
		if lines[n] == k.log && end > n+signed && lines[n+signed-1] == "" {
			c, err := k.Checkpoint(file, []byte(strings.Join(lines[n:end], "\n")+"\n"))
			if err != nil {
				return nil, err
			}
			all = append(all, c)
		}
	}
	if len(all) == 0 {
		c, err := k.Checkpoint(file, text)
		return []Checkpoint{c}, err
	}
	return all, nil
}

func (k Keys) checkpoint(text []byte) (c Checkpoint, err error) {
	const most = 4 << 10
	if len(text) > most {
		return c, fmt.Errorf("%d bytes, want at most %d", len(text), most)
	}
	n, err := note.Open(text, k.known)
	if unknown, ok := errors.AsType[*note.UnverifiedNoteError](err); ok {
		by := unknown.Note.UnverifiedSigs[0]
		return c, fmt.Errorf("signed by %s, whose public key is not the one given", keyID(by.Name, by.Hash))
	}
	if err != nil {
		return c, fmt.Errorf("want a signed checkpoint: %w", err)
	}
	lines := strings.Split(n.Text, "\n")
	const of = 4 // the last of them empty
	if len(lines) != of {
		return c, errors.New("want three lines that are signed: the log, its size, its root")
	}
	c = Checkpoint{Log: lines[0], Key: keyID(n.Sigs[0].Name, n.Sigs[0].Hash), Text: string(text)}
	c.Size, _ = strconv.ParseInt(lines[1], 10, 64)
	c.Root, _ = tlog.ParseHash(lines[2])
	switch {
	case c.Log != k.log:
		return c, fmt.Errorf("it is of log %q, want %s", c.Log, k.log)
	case c.Size < 1 || c.text() != n.Text:
		return c, errors.New("want a size from 1 on and a root hash, as Muster writes them")
	case string(text) != n.Text+"\n"+signed(n.Sigs[0]):
		return c, errors.New("want one signature, as Muster writes it, and nothing else")
	}
	return c, nil
}

// signed is the line of a signature. Decoding takes more than one spelling of the same bytes; there is one that counts.
func signed(s note.Signature) string {
	raw, _ := base64.StdEncoding.DecodeString(s.Base64)
	return fmt.Sprintf("— %s %s\n", s.Name, base64.StdEncoding.EncodeToString(raw))
}
