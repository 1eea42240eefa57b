// Package codec encrypts the payloads of workflows on their way to Temporal, and decrypts them on their way back.
package codec

import (
	"crypto/rand"
	"errors"
	"fmt"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"muster/internal/encryption"
)

// What an encrypted payload says of itself. These strings are in histories: add, never change.
const (
	Encoding = "binary/encrypted"   // under converter.MetadataEncoding
	KeyID    = "encryption-key-id"  // in the metadata
	about    = "temporal payload 1" // what is encrypted; another form would get another number
)

// Keys are those that encrypt payloads.
type Keys interface {
	encryption.Keys
	// Newest is the one that encrypts now.
	Newest() (encryption.Key, error)
}

// A Codec encrypts payloads with the newest key, and decrypts them with the one that they name. Payloads that were written before it was
// switched on pass as they are. Without keys it encrypts nothing, and says of what is encrypted which key is wanted.
type Codec struct {
	Keys   Keys
	Missed func(error) // is told of each payload whose key is not there; nil: nobody is
}

var _ converter.PayloadCodec = Codec{}

// Encode encrypts.
func (c Codec) Encode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	if c.Keys == nil || len(payloads) == 0 {
		return payloads, nil
	}
	k, err := c.Keys.Newest()
	if err != nil {
		return nil, &Error{"encrypt", err}
	}
	out := make([]*commonpb.Payload, len(payloads))
	for n, p := range payloads {
		if out[n], err = encrypted(k, p); err != nil {
			return nil, &Error{"encrypt", err}
		}
	}
	return out, nil
}

func encrypted(k encryption.Key, p *commonpb.Payload) (*commonpb.Payload, error) {
	plain, err := proto.MarshalOptions{Deterministic: true}.Marshal(p)
	if err != nil {
		return nil, err
	}
	var nonce [encryption.NonceSize]byte
	_, _ = rand.Read(nonce[:]) // it never fails
	data, err := k.Encrypt(nonce, plain, []byte(about))
	return &commonpb.Payload{
		Metadata: map[string][]byte{converter.MetadataEncoding: []byte(Encoding), KeyID: []byte(k.ID)}, Data: data,
	}, err
}

// Decode decrypts.
func (c Codec) Decode(payloads []*commonpb.Payload) (out []*commonpb.Payload, err error) {
	out = make([]*commonpb.Payload, len(payloads))
	for n, p := range payloads {
		if out[n] = p; !isEncrypted(p) {
			continue
		}
		if out[n], err = c.decrypted(p); err != nil {
			return nil, &Error{"decrypt", err}
		}
	}
	return out, nil
}

func isEncrypted(p *commonpb.Payload) bool {
	return string(p.GetMetadata()[converter.MetadataEncoding]) == Encoding
}

// An Error says why a payload is not encrypted or decrypted: asking again does not help.
type Error struct {
	Do    string // encrypt or decrypt
	Cause error
}

// Error says it.
func (e *Error) Error() string { return e.Do + " payload: " + e.Cause.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

func (c Codec) decrypted(p *commonpb.Payload) (*commonpb.Payload, error) {
	k, err := encryption.Find(c.Keys, string(p.GetMetadata()[KeyID]))
	if err != nil {
		if c.Missed != nil {
			c.Missed(err)
		}
		return nil, err
	}
	plain, err := k.Decrypt(p.GetData(), []byte(about))
	if err != nil {
		return nil, fmt.Errorf("%v: %w", k, err)
	}
	was := &commonpb.Payload{}
	if err := proto.Unmarshal(plain, was); err != nil {
		return nil, fmt.Errorf("%v: want a payload in it", k)
	}
	return was, nil
}

// DecodeJSON decrypts the payloads in the JSON that Temporal's UI and CLI ask a codec server with.
func (c Codec) DecodeJSON(body []byte) ([]byte, error) {
	var asked commonpb.Payloads
	if err := (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(body, &asked); err != nil {
		return nil, &Error{"decrypt", errors.New(`want {"payloads":[{"metadata":{…},"data":"…"}]}, with metadata and data in base64`)}
	}
	for n, p := range asked.GetPayloads() {
		if p == nil { // null in the list
			asked.Payloads[n] = &commonpb.Payload{}
		}
	}
	plain, err := c.decodeOwn(asked.GetPayloads())
	if err != nil {
		return nil, err
	}
	return protojson.Marshal(&commonpb.Payloads{Payloads: plain})
}
