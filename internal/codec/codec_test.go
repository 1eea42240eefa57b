package codec_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"muster/internal/codec"
	"muster/internal/encryption"
)

// ring has its keys in the order in which they came.
type ring []encryption.Key

func (r ring) Newest() (encryption.Key, error) {
	if len(r) == 0 {
		return encryption.Key{}, errors.New("none encrypts yet")
	}
	return r[len(r)-1], nil
}

func (r ring) Key(id string) (encryption.Key, error) {
	for _, k := range r {
		if k.ID == id {
			return k, nil
		}
	}
	return encryption.Key{}, &encryption.UnknownKeyError{Key: id, File: "payload-keys.json"}
}

func key(id string) encryption.Key {
	return encryption.Key{ID: id, Secret: bytes.Repeat([]byte(id), encryption.SecretSize)[:encryption.SecretSize], From: time.Unix(1, 0)}
}

func plain(text string) *commonpb.Payload {
	return &commonpb.Payload{Metadata: map[string][]byte{"encoding": []byte("json/plain"), "more": []byte(text)}, Data: []byte(text)}
}

func encode(t interface{ Fatal(...any) }, r ring, p ...*commonpb.Payload) []*commonpb.Payload {
	out, err := codec.Codec{Keys: r}.Encode(p)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestWhatComesBackIsWhatWasSent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all []*commonpb.Payload
		for range rapid.IntRange(0, 4).Draw(t, "payloads") {
			p := &commonpb.Payload{Data: rapid.SliceOf(rapid.Byte()).Draw(t, "data"), Metadata: map[string][]byte{}}
			for k, v := range rapid.MapOf(rapid.String(), rapid.SliceOf(rapid.Byte())).Draw(t, "metadata") {
				p.Metadata[strings.ToValidUTF8(k, "")] = v
			}
			all = append(all, p)
		}
		before := make([]*commonpb.Payload, len(all))
		for n, p := range all {
			before[n] = proto.CloneOf(p)
		}
		r := ring{key("a"), key("b")}
		sent := encode(t, r[:1], all...)
		back, err := codec.Codec{Keys: r}.Decode(sent) // the key has rotated meanwhile
		if err != nil || len(back) != len(all) {
			t.Fatalf("got %d payloads, %v", len(back), err)
		}
		for n, p := range all {
			if !proto.Equal(p, before[n]) {
				t.Fatalf("encoding has changed what it was given: %v", p)
			}
			if !proto.Equal(back[n], p) {
				t.Fatalf("got %v, want %v", back[n], p)
			}
			if len(sent[n].Metadata) != 2 || string(sent[n].Metadata["encoding"]) != "binary/encrypted" || string(sent[n].Metadata["encryption-key-id"]) != "a" {
				t.Fatalf("sent was %v", sent[n])
			}
		}
	})
}

func TestTheSameTwiceLooksDifferent(t *testing.T) {
	sent := encode(t, ring{key("a")}, plain("disk full"), plain("disk full"))
	if bytes.Equal(sent[0].Data, sent[1].Data) {
		t.Error("two payloads share a nonce")
	}
	if bytes.Contains(sent[0].Data, []byte("disk")) {
		t.Error("it is in clear")
	}
}

func TestAnyChangedByteIsFound(t *testing.T) {
	r := ring{key("a"), key("b")}
	rapid.Check(t, func(t *rapid.T) {
		p := encode(t, r, plain(rapid.String().Draw(t, "text")))[0]
		at := rapid.IntRange(0, len(p.Data)-1).Draw(t, "at")
		if rapid.Bool().Draw(t, "cut") {
			p.Data = p.Data[:at]
		} else {
			p.Data[at] ^= rapid.ByteRange(1, 255).Draw(t, "by")
		}
		_, err := codec.Codec{Keys: r}.Decode([]*commonpb.Payload{p})
		if !errors.Is(err, encryption.ErrChanged) || !strings.HasPrefix(err.Error(), "decrypt payload: payload key b: ") {
			t.Fatalf("got %v", err)
		}
	})
}

func TestDecode(t *testing.T) {
	r := ring{key("a"), key("b")}
	sent := encode(t, r, plain("x"))[0]
	with := func(metadata map[string]string) *commonpb.Payload {
		p := proto.CloneOf(sent)
		for k, v := range metadata {
			p.Metadata[k] = []byte(v)
		}
		return p
	}
	for _, tt := range []struct {
		name string
		keys codec.Keys
		p    *commonpb.Payload
		want string // of the error; empty: the plain payload
	}{
		{"encrypted", r, sent, ""},
		{"from before the switch", r, plain("x"), ""},
		{"from before, without keys", nil, plain("x"), ""},
		{"without keys", nil, sent, `decrypt payload: encrypted with payload key "b": want --payload-keys, with a file that has it`},
		{"a key that is gone", r[:1], sent, `decrypt payload: encrypted with payload key "b", which is not in payload-keys.json: want a file that has it`},
		{"no key named", r, with(map[string]string{"encryption-key-id": ""}), `decrypt payload: encrypted with payload key "", which`},
		{"another key named", r, with(map[string]string{"encryption-key-id": "a"}), "decrypt payload: payload key a: not as it was encrypted"},
		{"another's secret", ring{{ID: "b", Secret: key("c").Secret}}, sent, "decrypt payload: payload key b: not as it was encrypted"},
	} {
		missed := false
		got, err := codec.Codec{Keys: tt.keys, Missed: func(error) { missed = true }}.Decode([]*commonpb.Payload{tt.p})
		if _, unknown := errors.AsType[*encryption.UnknownKeyError](err); missed != unknown {
			t.Errorf("%s: told of a key that is not there: %t, %v", tt.name, missed, err)
		}
		if tt.want != "" {
			if _, ok := errors.AsType[*codec.Error](err); !ok || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
			}
		} else if err != nil || !proto.Equal(got[0], plain("x")) {
			t.Errorf("%s: got %v, %v", tt.name, got, err)
		}
	}
}

func TestEncodeWithoutKeys(t *testing.T) {
	got, err := codec.Codec{}.Encode([]*commonpb.Payload{plain("x")})
	if err != nil || !proto.Equal(got[0], plain("x")) {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := (codec.Codec{Keys: ring{}}).Encode([]*commonpb.Payload{plain("x")}); err == nil || err.Error() != "encrypt payload: none encrypts yet" {
		t.Errorf("got %v", err)
	}
}

// What a payload holds is more than its data, and all of it is hidden.
func TestWhatIsSeenOfAPayload(t *testing.T) {
	p := encode(t, ring{key("a")}, plain("park"))[0]
	if names := slices.Sorted(maps.Keys(p.Metadata)); !slices.Equal(names, []string{"encoding", "encryption-key-id"}) {
		t.Errorf("it says %v of itself", names)
	}
	wire, err := proto.Marshal(p)
	if err != nil || bytes.Contains(wire, []byte("park")) {
		t.Errorf("%q, %v", wire, err)
	}
	clear, err := proto.Marshal(plain("park"))
	const most = 120
	if more := len(wire) - len(clear); err != nil || more > most {
		t.Errorf("it is %d bytes longer, want at most %d", more, most)
	}
}

func TestDecodeJSON(t *testing.T) {
	c := codec.Codec{Keys: ring{key("a")}}
	asked, err := protojson.Marshal(&commonpb.Payloads{Payloads: append(encode(t, ring{key("a")}, plain("불")), plain("x"))})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := c.DecodeJSON(asked)
	if err != nil {
		t.Fatal(err)
	}
	// As a browser reads it: bytes are base64.
	var got struct {
		Payloads []struct {
			Metadata map[string][]byte
			Data     []byte
		}
	}
	if err := json.Unmarshal(answer, &got); err != nil || len(got.Payloads) != 2 ||
		string(got.Payloads[0].Data) != "불" || string(got.Payloads[0].Metadata["encoding"]) != "json/plain" || string(got.Payloads[1].Data) != "x" {
		t.Errorf("got %s, %v", answer, err)
	}
	for body, want := range map[string]string{
		``:                            "want {",
		`[]`:                          "want {",
		`{"payloads":[{"data":"*"}]}`: "want {",
		`{"payloads":[{"metadata":{"encoding":"YmluYXJ5L2VuY3J5cHRlZA=="}}]}`: `payload key "", which`,
	} {
		if _, err := c.DecodeJSON([]byte(body)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", body, err, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	r := ring{key("a")}
	c := codec.Codec{Keys: r}
	sent := encode(f, r, plain("x"))[0]
	f.Add([]byte("binary/encrypted"), []byte("a"), sent.Data)
	f.Add([]byte("binary/encrypted"), []byte("a"), []byte(nil))
	f.Add([]byte("json/plain"), []byte(nil), []byte("{}"))
	f.Fuzz(func(t *testing.T, encoding, id, data []byte) {
		p := &commonpb.Payload{Metadata: map[string][]byte{converter.MetadataEncoding: encoding, codec.KeyID: id}, Data: data}
		got, err := c.Decode([]*commonpb.Payload{p})
		switch {
		case string(encoding) != codec.Encoding:
			if err != nil || got[0] != p {
				t.Errorf("plain: got %v, %v", got, err)
			}
		case err == nil && !proto.Equal(got[0], plain("x")): // the one that was ever encrypted
			t.Errorf("forged: %x is taken for %v", data, got)
		}
	})
}

func FuzzDecodeJSON(f *testing.F) {
	c := codec.Codec{Keys: ring{key("a")}}
	sent, err := protojson.Marshal(&commonpb.Payloads{Payloads: encode(f, ring{key("a")}, plain("x"))})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sent)
	f.Add([]byte(`{"payloads":[null,{}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		answer, err := c.DecodeJSON(body)
		if err == nil {
			var p commonpb.Payloads
			if err := protojson.Unmarshal(answer, &p); err != nil {
				t.Errorf("%q answers %q: %v", body, answer, err)
			}
		}
	})
}
