package devserver

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// TokenFile is the name of the token's file in the data folder.
const TokenFile = "engine.token"

const (
	tokenSize = 32 // random bytes
	notShown  = "<secret>"
	// tokenHeader is where clients present the token.
	tokenHeader = "authorization"
)

// A Token lets its holder do everything at the frontend. It prints and marshals as <secret>; string(t) is the text
// itself, which is what TEMPORAL_API_KEY and `temporal --api-key` want.
type Token string

// String returns <secret>.
func (Token) String() string { return notShown }

// Format prints <secret>, whatever the verb.
func (Token) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, notShown) }

// MarshalText returns <secret>: for JSON and for logs.
func (Token) MarshalText() ([]byte, error) { return []byte(notShown), nil }

// GetHeaders returns the header that presents the token: a Token is the HeadersProvider of an SDK client. The SDK's
// own credentials would turn TLS on.
func (t Token) GetHeaders(context.Context) (map[string]string, error) {
	return map[string]string{tokenHeader: t.bearer()}, nil
}

// bearer is the header's value, as the SDK and the temporal command send an API key.
func (t Token) bearer() string { return "Bearer " + string(t) }

func newToken() Token {
	var random [tokenSize]byte
	_, _ = rand.Read(random[:]) // never fails
	return Token(base64.RawURLEncoding.EncodeToString(random[:]))
}

// parseToken reads the text of a token file. Its error does not show what stands there.
func parseToken(text []byte) (Token, error) {
	t := strings.TrimRight(string(text), "\r\n")
	raw, err := base64.RawURLEncoding.DecodeString(t)
	// Encoded again, because the decoder overlooks line ends and spare bits: one token has one spelling.
	if err != nil || len(raw) != tokenSize || base64.RawURLEncoding.EncodeToString(raw) != t {
		return "", fmt.Errorf("want %d random bytes as base64url on one line", tokenSize)
	}
	return Token(t), nil
}

// token reads the folder's token, and makes one when there is none.
func (f *folder) token() (_ Token, err error) {
	path := filepath.Join(f.path, TokenFile)
	defer func() {
		if err != nil {
			err = fmt.Errorf("read token %s: %w", path, err)
		}
	}()
	const wayOut = "delete the file, and the next start makes a new one"
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return f.createToken(path)
	case err != nil:
		return "", err
	case !info.Mode().IsRegular():
		return "", errors.New("not a regular file: " + wayOut)
	case info.Mode().Perm()&0o077 != 0:
		return "", fmt.Errorf("its mode is %#o, so others may read or change it: %s; or set 0600 if nobody has",
			info.Mode().Perm(), wayOut)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	t, err := parseToken(text)
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, wayOut)
	}
	return t, nil
}

// createToken puts a new token on the disk, whole or not at all. It is built under one fixed name, unlike a file of
// wholefile, so that starts that are killed leave one secret behind at most, and the next removes it.
func (f *folder) createToken(path string) (Token, error) {
	t := newToken()
	building := path + ".new"
	// Removed first: what is left of a killed start would keep its mode.
	if err := os.Remove(building); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	if err := os.WriteFile(building, []byte(string(t)+"\n"), 0o600); err != nil {
		return "", err
	}
	if err := syncPath(building); err != nil {
		return "", err
	}
	if err := os.Rename(building, path); err != nil {
		return "", err
	}
	return t, syncPath(f.path)
}
