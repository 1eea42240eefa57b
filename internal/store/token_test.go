package store_test

import (
	"errors"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"muster/internal/store"
)

func laptop() store.Token {
	return store.Token{Actor: "park", Name: "박서준", Kind: store.Person, Label: "laptop", CreatedBy: "choi"}
}

func TestTokensSpeakForTheirActors(t *testing.T) {
	c := newClock()
	s := open(t, inFolder(t), c.now)
	seoul := time.FixedZone("KST", 9*60*60)
	for _, want := range []store.Token{
		laptop(),
		{Actor: "garam/it-desk", Kind: store.Person, CreatedBy: "muster"},
		{
			Actor: "deploy-bot", Kind: store.Machine, Label: "CI of 포털", Roles: []string{"responder", "auditor"},
			Scopes: []string{"read", "read-internal"}, Expires: c.now().Add(90 * 24 * time.Hour).In(seoul), CreatedBy: "garam/it-desk",
		},
	} {
		secret, made, err := s.CreateToken(t.Context(), want)
		must(t, err)
		if !regexp.MustCompile(`^tok_[a-z2-7]{10}$`).MatchString(made.ID) || !made.Created.Equal(c.now()) {
			t.Errorf("got %+v, want an ID and made now", made)
		}
		if !want.Expires.Equal(made.Expires) || made.Expires.Location() != time.UTC {
			t.Errorf("got expiry %v, want %v in UTC", made.Expires, want.Expires)
		}
		want.ID, want.Created, want.Expires = made.ID, made.Created, made.Expires
		if !reflect.DeepEqual(made, want) {
			t.Errorf("got %+v, want %+v", made, want)
		}
		want.LastUsed = c.now()
		if got, err := s.Token(t.Context(), secret); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v; want %+v", got, err, want)
		}
	}
}

func TestCreateTokenFillsInWhatIsItsOwn(t *testing.T) {
	c := newClock()
	s := open(t, inFolder(t), c.now)
	forged := laptop()
	forged.ID, forged.Created, forged.LastUsed, forged.Revoked = "tok_mine", c.now().Add(-1), c.now(), c.now()
	_, made, err := s.CreateToken(t.Context(), forged)
	if err != nil || made.ID == "tok_mine" || !made.Created.Equal(c.now()) || !made.LastUsed.IsZero() || !made.Revoked.IsZero() {
		t.Errorf("got %+v, %v", made, err)
	}
}

func TestCreateTokenChecksFields(t *testing.T) {
	c := newClock()
	s := open(t, inFolder(t), c.now)
	for _, tc := range []struct {
		name   string
		change func(*store.Token)
		want   []string
	}{
		{"right", func(*store.Token) {}, nil},
		{"no actor", func(k *store.Token) { k.Actor = "" }, []string{"actor"}},
		{"an actor with a space", func(k *store.Token) { k.Actor = "park kim" }, []string{"actor"}},
		{"an actor of three parts", func(k *store.Token) { k.Actor = "a/b/c" }, []string{"actor"}},
		{"an actor that climbs", func(k *store.Token) { k.Actor = "../park" }, []string{"actor"}},
		{"a long actor", func(k *store.Token) { k.Actor = strings.Repeat("a", 64) }, []string{"actor"}},
		{"the longest actor", func(k *store.Token) { k.Actor = strings.Repeat("a", 63) + "/" + strings.Repeat("b", 63) }, nil},
		{"a machine of a customer", func(k *store.Token) { k.Kind, k.Actor = store.Machine, "garam/bot" }, []string{"actor"}},
		{"no kind", func(k *store.Token) { k.Kind = "" }, []string{"kind"}},
		{"another kind", func(k *store.Token) { k.Kind = "engine" }, []string{"kind"}},
		{"a name of two lines", func(k *store.Token) { k.Name = "박\n서준" }, []string{"name"}},
		{"a name that is no text", func(k *store.Token) { k.Name = "\xff" }, []string{"name"}},
		{"the longest name", func(k *store.Token) { k.Name = strings.Repeat("박", 200) }, nil},
		{"a long name", func(k *store.Token) { k.Name = strings.Repeat("박", 201) }, []string{"name"}},
		{"no label", func(k *store.Token) { k.Label = "" }, nil},
		{"the longest label", func(k *store.Token) { k.Label = strings.Repeat("가", 100) }, nil},
		{"a long label", func(k *store.Token) { k.Label = strings.Repeat("가", 101) }, []string{"label"}},
		{"a role of two words", func(k *store.Token) { k.Roles = []string{"on call"} }, []string{"roles"}},
		{"an empty role", func(k *store.Token) { k.Roles = []string{""} }, []string{"roles"}},
		{"a role twice", func(k *store.Token) { k.Roles = []string{"auditor", "auditor"} }, []string{"roles"}},
		{"a verb twice", func(k *store.Token) { k.Scopes = []string{"read", "note", "read"} }, []string{"scopes"}},
		{"too many verbs", func(k *store.Token) { k.Scopes = verbs(51) }, []string{"scopes"}},
		{"many verbs", func(k *store.Token) { k.Scopes = verbs(50) }, nil},
		{"expires now", func(k *store.Token) { k.Expires = c.now() }, []string{"expires"}},
		{"expires at once", func(k *store.Token) { k.Expires = c.now().Add(time.Microsecond) }, nil},
		{"expires in less than can be stored", func(k *store.Token) { k.Expires = c.now().Add(999) }, []string{"expires"}},
		{"expires past all calendars", func(k *store.Token) { k.Expires = time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC) }, []string{"expires"}},
		{"expires past all numbers", func(k *store.Token) { k.Expires = time.Unix(math.MaxInt64/1_000_000*2, 0) }, []string{"expires"}},
		{"made by nobody", func(k *store.Token) { k.CreatedBy = "" }, []string{"created_by"}},
		{"all at once", func(k *store.Token) { *k = store.Token{Roles: []string{"*"}} }, []string{"actor", "kind", "roles", "created_by"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			entry := laptop()
			tc.change(&entry)
			secret, made, err := s.CreateToken(t.Context(), entry)
			wantFaults(t, err, tc.want...)
			if refused := len(tc.want) > 0; (err != nil) != refused || (secret == "") != refused || (made.ID == "") != refused {
				t.Errorf("got a secret of %d characters, %+v, %v", len(secret), made, err)
			}
		})
	}
}

// verbs are so many different words.
func verbs(n int) []string {
	var all []string
	for len(all) < n {
		all = append(all, strings.Repeat("v", len(all)+1))
	}
	return all
}

func TestTokensEnd(t *testing.T) {
	const life = time.Hour
	for _, tc := range []struct {
		name   string
		age    time.Duration
		revoke bool
		want   error
	}{
		{"new", 0, false, nil},
		{"in the last moment", life - time.Microsecond, false, nil},
		{"at the exact instant", life, false, store.ErrExpired},
		{"later", life + time.Hour, false, store.ErrExpired},
		{"revoked", 0, true, store.ErrRevoked},
		{"revoked and expired", life, true, store.ErrRevoked},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := newClock()
			s := open(t, inFolder(t), c.now)
			entry := laptop()
			entry.Expires = c.now().Add(life)
			secret, made, err := s.CreateToken(t.Context(), entry)
			must(t, err)
			if tc.revoke {
				_, err := s.RevokeToken(t.Context(), made.ID)
				must(t, err)
			}
			c.move(tc.age)
			got, err := s.Token(t.Context(), secret)
			if !errors.Is(err, tc.want) || got.ID != made.ID {
				t.Errorf("got %+v, %v; want %v of %s", got, err, tc.want, made.ID)
			}
			if used := !got.LastUsed.IsZero(); used != (tc.want == nil) {
				t.Errorf("got last used %v", got.LastUsed)
			}
		})
	}
}

func TestTokensAreListedNewestFirst(t *testing.T) {
	c := newClock()
	s := open(t, inFolder(t), c.now)
	var want []string
	for _, life := range []time.Duration{0, time.Minute, 0, 0} {
		entry := laptop()
		if life > 0 {
			entry.Expires = c.now().Add(life)
		}
		_, made, err := s.CreateToken(t.Context(), entry)
		must(t, err)
		want = append([]string{made.ID}, want...)
		if len(want) != 3 { // the third and the fourth in one instant
			c.move(time.Hour)
		}
	}
	_, err := s.RevokeToken(t.Context(), want[0])
	must(t, err)
	tokens, err := s.Tokens(t.Context())
	must(t, err)
	var got []string
	for _, k := range tokens {
		got = append(got, k.ID)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if tokens[0].Revoked.IsZero() || !tokens[1].Revoked.IsZero() {
		t.Errorf("got %+v, want the first revoked alone", tokens)
	}
}

func TestRevokeToken(t *testing.T) {
	c := newClock()
	s := open(t, inFolder(t), c.now)
	secret, made, err := s.CreateToken(t.Context(), laptop())
	must(t, err)
	other, _, err := s.CreateToken(t.Context(), laptop())
	must(t, err)
	c.move(time.Second)
	first := c.now()
	for range 2 {
		made.Revoked = first
		if got, err := s.RevokeToken(t.Context(), made.ID); err != nil || !reflect.DeepEqual(got, made) {
			t.Errorf("got %+v, %v; want %+v", got, err, made)
		}
		c.move(time.Hour)
	}
	if _, err := s.Token(t.Context(), secret); !errors.Is(err, store.ErrRevoked) {
		t.Errorf("got %v, want %v", err, store.ErrRevoked)
	}
	if _, err := s.Token(t.Context(), other); err != nil {
		t.Errorf("another token: got %v", err)
	}
	_, err = s.RevokeToken(t.Context(), "tok_none")
	if missing, ok := errors.AsType[*store.NotFoundError](err); !ok || missing.ID != "tok_none" || err.Error() != "token tok_none: not found" {
		t.Errorf("got %v, want that tok_none is not found", err)
	}
}

func TestLastUsedIsWrittenOnceAMinute(t *testing.T) {
	c := newClock()
	s := open(t, inFolder(t), c.now)
	secret, _, err := s.CreateToken(t.Context(), laptop())
	must(t, err)
	start := c.now()
	for _, tc := range []struct {
		move time.Duration
		want time.Time
	}{
		{0, start},
		{time.Minute - time.Microsecond, start},
		{time.Microsecond, start.Add(time.Minute)},
		{30 * time.Second, start.Add(time.Minute)},
		{24 * time.Hour, start.Add(24*time.Hour + 90*time.Second)},
		{-2 * time.Hour, start.Add(22*time.Hour + 90*time.Second)}, // the clock was wrong
	} {
		c.move(tc.move)
		got, err := s.Token(t.Context(), secret)
		if err != nil || !got.LastUsed.Equal(tc.want) {
			t.Errorf("after %v: got %v, %v; want %v", tc.move, got.LastUsed, err, tc.want)
		}
		listed, err := s.Tokens(t.Context())
		if err != nil || !listed[0].LastUsed.Equal(tc.want) {
			t.Errorf("after %v: got %v listed, %v; want %v", tc.move, listed, err, tc.want)
		}
	}
}

func TestATokenThatCannotBeMarkedIsGood(t *testing.T) {
	file := inFolder(t)
	s := open(t, file, time.Now)
	secret, made, err := s.CreateToken(t.Context(), laptop())
	must(t, err)
	refuse(t, file, "UPDATE ON tokens", "")
	got, err := s.Token(t.Context(), secret)
	if err != nil || !reflect.DeepEqual(got, made) {
		t.Errorf("got %+v, %v; want %+v, not used", got, err, made)
	}
}

func TestSecretsAreScannableAndDiffer(t *testing.T) {
	s := open(t, inFolder(t), time.Now)
	form := regexp.MustCompile(`^muster_[0-9A-Za-z]{49}$`)
	seen := map[string]bool{}
	for range 50 {
		secret, _, err := s.CreateToken(t.Context(), laptop())
		must(t, err)
		if !form.MatchString(secret) || seen[secret] || !store.Whole(secret) {
			t.Fatalf("got %q", secret)
		}
		seen[secret] = true
		if _, err := s.Token(t.Context(), secret); err != nil {
			t.Fatal(err)
		}
		for _, spoilt := range []string{
			secret[:len(secret)-1], secret + "x", secret[:10] + "-" + secret[11:], secret[:len(secret)-6], secret + " ",
		} {
			if store.Whole(spoilt) {
				t.Errorf("%q is taken for whole", spoilt)
			}
			if got, err := s.Token(t.Context(), spoilt); !errors.Is(err, store.ErrUnknown) || got.ID != "" {
				t.Errorf("%q: got %+v, %v; want %v", spoilt, got, err, store.ErrUnknown)
			}
		}
	}
}

// A whole token: the form must not change under those who have one.
const whole = "muster_" + zeros43 + "2czCLJ"

const zeros43 = "0000000000000000000000000000000000000000000"

func TestWhole(t *testing.T) {
	for _, tc := range []struct {
		text string
		want bool
	}{
		{"", true}, // what begins otherwise is no broken token of ours
		{"a token of something else", true},
		{"Muster_x", true},
		{whole, true},
		{store.Prefix, false},
		{whole[:len(whole)-1], false},
		{whole + "0", false},
		{strings.Replace(whole, "0", "1", 1), false},
		{store.Prefix + strings.Repeat("0", 49), false},
		{store.Prefix + strings.Repeat("가", 17), false},
	} {
		if got := store.Whole(tc.text); got != tc.want {
			t.Errorf("%q: got %v, want %v", tc.text, got, tc.want)
		}
	}
}

// A text that cannot be a token is unknown even when nothing can be looked up; one that can be is not called unknown then.
func TestTextsThatAreNoTokenAreNotLookedUp(t *testing.T) {
	s, err := openStore(t.Context(), inFolder(t), time.Now)
	must(t, err)
	secret, _, err := s.CreateToken(t.Context(), laptop())
	must(t, err)
	must(t, s.Close())
	if _, err := s.Token(t.Context(), secret); err == nil || errors.Is(err, store.ErrUnknown) {
		t.Errorf("a whole token: got %v, want that the store is closed", err)
	}
	for _, text := range []string{"", "park", store.Prefix, secret[1:], secret[:30], "Bearer " + secret} {
		if _, err := s.Token(t.Context(), text); !errors.Is(err, store.ErrUnknown) {
			t.Errorf("%q: got %v, want %v", text, err, store.ErrUnknown)
		}
	}
}

func FuzzToken(f *testing.F) {
	s := open(f, inFolder(f), time.Now)
	if _, _, err := s.CreateToken(f.Context(), laptop()); err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{"", store.Prefix, whole, whole[:20], whole + "\n", "muster_\x00", "' OR 1=1 --", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if got, err := s.Token(t.Context(), text); !errors.Is(err, store.ErrUnknown) || got.ID != "" {
			t.Errorf("got %+v, %v; want %v", got, err, store.ErrUnknown)
		}
		if got, err := s.Session(t.Context(), text); !errors.Is(err, store.ErrUnknown) || got.Person != "" {
			t.Errorf("got %+v, %v; want %v", got, err, store.ErrUnknown)
		}
	})
}
