package api

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"go.yaml.in/yaml/v4"

	"muster/internal/timeline"
)

// A Token is one entry of a tokens file: for whom a token speaks. The token itself stands in no file of the server.
type Token struct {
	Actor   string    `yaml:"actor"` // ID; of a person, the one in the organisation folder
	Name    string    `yaml:"name,omitempty"`
	Kind    Kind      `yaml:"kind"`
	SHA256  string    `yaml:"sha256"` // of the token, in hexadecimal
	Expires time.Time `yaml:"expires,omitempty"`
}

// Kind tells people from machines.
type Kind string

// The kinds of actors that a token can stand for.
const (
	Person  Kind = "person"
	Machine Kind = "machine"
)

// actor is who acts with the token.
func (t Token) actor() timeline.Actor {
	a := timeline.Actor{Kind: timeline.Person, ID: t.Actor, Name: t.Name}
	if t.Kind == Machine {
		a.Kind = timeline.Source
	}
	return a
}

// Tokens knows who may come in, from a file that it reads again when it has changed.
type Tokens struct {
	file string
	now  func() time.Time
	log  *slog.Logger

	mu     sync.Mutex
	tokens []Token
	state  fs.FileInfo // of the file when it was read
	fresh  bool        // it had changed so shortly before that it may change again unseen
	err    error       // why it could not be read the last time
}

// OpenTokens reads a tokens file: a YAML list of entries, all of them right. A nil log logs nothing.
func OpenTokens(file string, now func() time.Time, log *slog.Logger) (*Tokens, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	t := &Tokens{file: file, now: now, log: log}
	t.reload()
	if t.err != nil {
		return nil, t.err
	}
	return t, nil
}

// Errors of a token. They say nothing of any other token.
var (
	errToken   = errors.New("want Bearer and a token that the server knows")
	errExpired = errors.New("the token has expired: want a new one")
)

// Actor returns for whom a token speaks. It compares with every entry, always, so that the time it takes tells nothing.
func (t *Tokens) Actor(token string) (timeline.Actor, error) {
	sum := sha256.Sum256([]byte(token))
	hash := []byte(hex.EncodeToString(sum[:]))
	t.mu.Lock()
	defer t.mu.Unlock()
	t.reload()
	var found Token
	for _, e := range t.tokens {
		if subtle.ConstantTimeCompare(hash, []byte(e.SHA256)) == 1 {
			found = e
		}
	}
	switch {
	case found.Actor == "":
		return timeline.Actor{}, errToken
	case !found.Expires.IsZero() && !t.now().Before(found.Expires):
		return timeline.Actor{}, errExpired
	}
	return found.actor(), nil
}

// Err says what is wrong with the file as it is now: a readiness check.
func (t *Tokens) Err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.reload()
	return t.err
}

// reload reads the file when it has changed. A file that is wrong changes nothing until it is right again; a file that is
// not there lets nobody in.
func (t *Tokens) reload() {
	state, err := os.Stat(t.file)
	if err == nil && t.state != nil && !t.fresh && os.SameFile(state, t.state) &&
		state.ModTime().Equal(t.state.ModTime()) && state.Size() == t.state.Size() {
		return
	}
	var tokens []Token
	if err == nil {
		var text []byte
		if text, err = os.ReadFile(t.file); err == nil {
			tokens, err = parseTokens(text)
		}
	}
	if err != nil {
		err = fmt.Errorf("read tokens %s: %w", t.file, err)
		if t.err == nil || t.err.Error() != err.Error() {
			t.log.Error("tokens not read", "error", err)
		}
		if errors.Is(err, fs.ErrNotExist) {
			t.tokens = nil
		}
	} else {
		t.tokens = tokens
	}
	const tick = 2 * time.Second // the coarsest clock of a file system that matters
	t.err, t.state, t.fresh = err, state, err != nil || time.Since(state.ModTime()) < tick
}

// parseTokens reads the text of a tokens file. Its errors name lines and never what stands there: it may be a token.
func parseTokens(text []byte) ([]Token, error) {
	var doc yaml.Node
	if err := yaml.Load(text, &doc); err != nil {
		var bad *yaml.LoadError
		if errors.As(err, &bad) && bad.Mark.Line > 0 {
			return nil, fmt.Errorf("line %d: not YAML", bad.Mark.Line)
		}
		return nil, errors.New("want one YAML list")
	}
	if len(doc.Content) != 1 || doc.Content[0].Kind != yaml.SequenceNode {
		return nil, errors.New("want a YAML list of entries with actor, kind and sha256")
	}
	var tokens []Token
	var faults []error
	for _, n := range doc.Content[0].Content {
		t, why := parseToken(n)
		if why == "" && slices.ContainsFunc(tokens, func(o Token) bool { return o.SHA256 == t.SHA256 }) {
			why = "sha256: stands in the list already"
		}
		if why != "" {
			faults = append(faults, fmt.Errorf("line %d: %s", n.Line, why))
		}
		tokens = append(tokens, t)
	}
	return tokens, errors.Join(faults...)
}

// parseToken reads one entry, or says what is wrong with it.
func parseToken(n *yaml.Node) (t Token, why string) {
	if n.Kind != yaml.MappingNode {
		return t, "want an entry with actor, kind and sha256"
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i].Value, n.Content[i+1]
		if seen[name] || value.Kind != yaml.ScalarNode || value.Value == "" {
			return t, clip(name) + ": want one value"
		}
		seen[name] = true
		switch name {
		case "actor":
			t.Actor = value.Value
		case "name":
			t.Name = value.Value
		case "kind":
			t.Kind = Kind(value.Value)
		case "sha256":
			t.SHA256 = strings.ToLower(value.Value)
		case "expires":
			at, err := time.Parse(time.RFC3339, value.Value)
			if err != nil || at.IsZero() {
				return t, "expires: want an instant such as 2027-01-31T00:00:00+09:00"
			}
			t.Expires = at
		default:
			return t, "unknown key; want actor, name, kind, sha256 or expires"
		}
	}
	hash, err := hex.DecodeString(t.SHA256)
	switch {
	case !actorID.MatchString(t.Actor):
		return t, "actor: want an id of letters, digits, dots, hyphens and underscores"
	case t.Kind != Person && t.Kind != Machine:
		return t, "kind: want person or machine"
	case err != nil || len(hash) != sha256.Size:
		return t, "sha256: want the SHA-256 of a token as 64 hexadecimal digits"
	}
	return t, ""
}

var actorID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

// Prefix begins every token, so that a scanner finds one that has got where it should not be.
const Prefix = "muster_"

// The parts of a token after its prefix: 32 random bytes and a checksum, in digits and letters.
const (
	secretLen = 43
	sumLen    = 6
)

// NewToken makes a token for an entry, and fills the entry's hash in.
func NewToken(entry Token) (token string, filled Token) {
	var secret [32]byte
	_, _ = rand.Read(secret[:]) // never fails
	body := base62(secret[:], secretLen)
	token = Prefix + body + checksum(body)
	sum := sha256.Sum256([]byte(token))
	entry.SHA256 = hex.EncodeToString(sum[:])
	return token, entry
}

// NewKey makes an Idempotency-Key.
func NewKey() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// whole tells whether a token that looks like one of ours is one, and not a part of it.
func whole(token string) bool {
	body, ours := strings.CutPrefix(token, Prefix)
	if !ours {
		return true
	}
	return len(body) == secretLen+sumLen && checksum(body[:secretLen]) == body[secretLen:]
}

func checksum(body string) string {
	sum := crc32.ChecksumIEEE([]byte(body))
	return base62([]byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)}, sumLen)
}

// base62 writes bytes as digits and letters, of a fixed length.
func base62(b []byte, length int) string {
	text := new(big.Int).SetBytes(b).Text(62)
	return strings.Repeat("0", length-len(text)) + text
}

// EnsureToken makes sure that the token in the file plain lets its reader in, and adds a new one, for entry, when it does
// not.
func EnsureToken(tokens, plain string, entry Token) error {
	old, err := os.ReadFile(plain)
	if err == nil {
		if t, err := OpenTokens(tokens, time.Now, nil); err == nil {
			if _, err := t.Actor(strings.TrimSpace(string(old))); err == nil {
				return nil
			}
		}
	}
	token, err := AddToken(tokens, entry)
	if err != nil {
		return err
	}
	if err := replace(plain, []byte(token+"\n")); err != nil {
		return fmt.Errorf("add token: %w", err)
	}
	return nil
}

// AddToken makes a token and adds its entry to a tokens file, which is made when there is none. What stands there stays.
func AddToken(tokens string, entry Token) (token string, err error) {
	token, entry = NewToken(entry)
	added, err := yaml.Dump([]Token{entry})
	if err != nil {
		return "", fmt.Errorf("add token: %w", err)
	}
	text, err := os.ReadFile(tokens)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("add token: %w", err)
	}
	if len(text) > 0 && !bytes.HasSuffix(text, []byte("\n")) {
		text = append(text, '\n')
	}
	text = append(text, added...)
	if _, err := parseTokens(text); err != nil { // the old text or the new entry
		return "", fmt.Errorf("add token to %s: %w", tokens, err)
	}
	if err := replace(tokens, text); err != nil {
		return "", fmt.Errorf("add token: %w", err)
	}
	return token, nil
}

// replace puts a whole file in the place of another, for its owner only.
func replace(name string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
