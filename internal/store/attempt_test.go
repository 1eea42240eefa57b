package store_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"muster/internal/store"
)

func attempt(n int) store.Attempt {
	return store.Attempt{
		Kind: store.AttemptToken, Actor: "park", Remote: fmt.Sprintf("192.0.2.%d", n), Subject: "INC-1", Message: "Acknowledge",
		Detail: "it has expired",
	}
}

// record records so many different attempts.
func record(t testing.TB, s *store.Store, n int) {
	t.Helper()
	for i := range n {
		_, err := s.Record(t.Context(), attempt(i))
		must(t, err)
	}
}

// attempts are all of them.
func attempts(t testing.TB, s *store.Store) []store.Attempt {
	t.Helper()
	all, err := s.Attempts(t.Context(), 0, 1_000_000)
	must(t, err)
	return all
}

// wantWhole expects a log of so many entries that fit together.
func wantWhole(t testing.TB, s *store.Store, want int) {
	t.Helper()
	if got, err := s.CheckAttempts(t.Context()); err != nil || got != int64(want) {
		t.Errorf("got %d checked, %v; want %d", got, err, want)
	}
}

func TestAttemptsAreRecorded(t *testing.T) {
	c := newClock()
	s := open(t, inFolder(t), c.now)
	if seq, hash, err := s.Head(t.Context()); err != nil || seq != 0 || hash != "" {
		t.Errorf("empty: got %d, %q, %v", seq, hash, err)
	}
	wantWhole(t, s, 0)
	var want []store.Attempt
	for n, kind := range []store.AttemptKind{
		store.AttemptToken, store.AttemptSession, store.AttemptLink, store.AttemptMessage, store.AttemptDenied,
		store.AttemptRate, store.AttemptLock, store.AttemptLogin,
	} {
		a := attempt(n)
		a.Kind, a.Seq, a.Hash = kind, 77, "forged"
		if n == 3 {
			a.At = c.now().Add(-time.Hour).In(time.FixedZone("KST", 9*60*60))
		}
		got, err := s.Record(t.Context(), a)
		must(t, err)
		if !regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(got.Hash) {
			t.Errorf("got hash %q", got.Hash)
		}
		a.Seq, a.Hash, a.At = int64(n+1), got.Hash, c.now()
		if n == 3 {
			a.At = c.now().Add(-time.Hour)
		}
		if got != a {
			t.Errorf("got %+v, want %+v", got, a)
		}
		want = append(want, a)
		c.move(time.Second)
	}
	if got := attempts(t, s); !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	newest := want[len(want)-1]
	if seq, hash, err := s.Head(t.Context()); err != nil || seq != newest.Seq || hash != newest.Hash {
		t.Errorf("got %d, %q, %v; want %d, %q", seq, hash, err, newest.Seq, newest.Hash)
	}
	wantWhole(t, s, len(want))
}

func TestAttemptsAreReadInParts(t *testing.T) {
	s := open(t, inFolder(t), time.Now)
	record(t, s, 5)
	for _, tc := range []struct {
		after int64
		limit int
		want  []int64
	}{
		{0, 2, []int64{1, 2}},
		{2, 2, []int64{3, 4}},
		{4, 2, []int64{5}},
		{5, 2, nil},
		{-3, 1, []int64{1}},
		{0, 0, nil},
		{0, -1, nil},
	} {
		part, err := s.Attempts(t.Context(), tc.after, tc.limit)
		must(t, err)
		var got []int64
		for _, a := range part {
			got = append(got, a.Seq)
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("%d after %d: got %v, want %v", tc.limit, tc.after, got, tc.want)
		}
	}
}

func TestAKindThatIsNotKnownIsRefused(t *testing.T) {
	s := open(t, inFolder(t), time.Now)
	for _, kind := range []store.AttemptKind{"", "tokens"} {
		_, err := s.Record(t.Context(), store.Attempt{Kind: kind})
		wantFaults(t, err, "kind")
	}
	wantWhole(t, s, 0)
}

func TestTextsAreCut(t *testing.T) {
	s := open(t, inFolder(t), time.Now)
	for _, tc := range []struct{ text, want string }{
		{strings.Repeat("x", 500), strings.Repeat("x", 500)},
		{strings.Repeat("x", 501), strings.Repeat("x", 500)},
		{strings.Repeat("가", 166) + "xx", strings.Repeat("가", 166) + "xx"}, // 3 bytes each
		{strings.Repeat("가", 167), strings.Repeat("가", 166)},
		{"x" + strings.Repeat("가", 166) + "가", "x" + strings.Repeat("가", 166)},
		{"x" + strings.Repeat("\U0001F600", 125), "x" + strings.Repeat("\U0001F600", 124)},
		{"a\xffb", "a\uFFFDb"},
		{"a\x00b\n", "a\uFFFDb\n"},
	} {
		want := store.Attempt{
			Kind: store.AttemptLogin, Actor: tc.want, Remote: tc.want, Subject: tc.want, Message: tc.want, Detail: tc.want,
		}
		got, err := s.Record(t.Context(), store.Attempt{
			Kind: store.AttemptLogin, Actor: tc.text, Remote: tc.text, Subject: tc.text, Message: tc.text, Detail: tc.text,
		})
		must(t, err)
		want.Seq, want.At, want.Hash = got.Seq, got.At, got.Hash
		if got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		if kept := attempts(t, s); kept[len(kept)-1] != want {
			t.Errorf("got %+v kept, want %+v", kept[len(kept)-1], want)
		}
	}
	wantWhole(t, s, 8)
}

func TestAttemptsStayAsTheyAre(t *testing.T) {
	file := inFolder(t)
	s := open(t, file, time.Now)
	record(t, s, 3)
	const again = " INTO attempts SELECT seq, at, kind, 'kim', remote, subject, message, detail, hash FROM attempts WHERE seq = 2"
	for _, statement := range []string{
		"UPDATE attempts SET actor = 'kim' WHERE seq = 2",
		"UPDATE attempts SET seq = 9 WHERE seq = 3",
		"DELETE FROM attempts WHERE seq = 3",
		"DELETE FROM attempts",
		on("INSERT OR REPLACE"+again, "INSERT"+again+" ON CONFLICT (seq) DO UPDATE SET actor = excluded.actor"),
		on("DELETE FROM attempts WHERE true", "TRUNCATE attempts"),
		"INSERT INTO attempts SELECT 5, at, kind, actor, remote, subject, message, detail, hash FROM attempts WHERE seq = 3",
		"INSERT INTO attempts SELECT 0, at, kind, actor, remote, subject, message, detail, hash FROM attempts WHERE seq = 3",
	} {
		if err := tryRaw(t, file, statement); err == nil || !strings.Contains(err.Error(), "attempts ") {
			t.Errorf("%s: got %v, want it refused", statement, err)
		}
	}
	wantWhole(t, s, 3)
}

// unlock takes the triggers away, as somebody would who has the file.
var unlock = []string{
	on("DROP TRIGGER attempts_update; DROP TRIGGER attempts_delete; DROP TRIGGER attempts_insert", "ALTER TABLE attempts DISABLE TRIGGER USER"),
}

func TestTamperingIsFound(t *testing.T) {
	const columns = "at, kind, actor, remote, subject, message, detail, hash"
	for _, tc := range []struct {
		name, statement string
		want            int64
	}{
		{"another instant", "UPDATE attempts SET at = at + 1 WHERE seq = 3", 3},
		{"another kind", "UPDATE attempts SET kind = 'login' WHERE seq = 3", 3},
		{"another actor", "UPDATE attempts SET actor = 'kim' WHERE seq = 3", 3},
		{"another address", "UPDATE attempts SET remote = '' WHERE seq = 3", 3},
		{"another subject", "UPDATE attempts SET subject = 'INC-2' WHERE seq = 3", 3},
		{"another message", "UPDATE attempts SET message = 'Resolve' WHERE seq = 3", 3},
		{"another detail", "UPDATE attempts SET detail = detail || ' ' WHERE seq = 3", 3},
		{"another hash", "UPDATE attempts SET hash = 'abababababababababababababababababababababababababababababababab' WHERE seq = 3", 3},
		{"a hash in capitals", "UPDATE attempts SET hash = upper(hash) WHERE seq = 3", 3},
		{"the first one", "UPDATE attempts SET actor = 'kim' WHERE seq = 1", 1},
		{"the last one", "UPDATE attempts SET actor = 'kim' WHERE seq = 5", 5},
		{"a field that flows into the next", "UPDATE attempts SET actor = 'par', remote = 'k' || remote WHERE seq = 3", 3},
		{"the first one removed", "DELETE FROM attempts WHERE seq = 1", 1},
		{"one in the middle removed", "DELETE FROM attempts WHERE seq = 3", 3},
		{"one removed and the gap closed", "DELETE FROM attempts WHERE seq = 3; UPDATE attempts SET seq = seq - 1 WHERE seq > 3", 3},
		{
			"two in another order",
			"UPDATE attempts SET seq = 9 WHERE seq = 2; UPDATE attempts SET seq = 2 WHERE seq = 3; UPDATE attempts SET seq = 3 WHERE seq = 9",
			2,
		},
		{"one put before the first", "INSERT INTO attempts SELECT 0, " + columns + " FROM attempts WHERE seq = 1", 1},
		{"one far before the first", "INSERT INTO attempts SELECT -9223372036854775807, " + columns + " FROM attempts WHERE seq = 1", 1},
		{"one put after the last", "INSERT INTO attempts SELECT 6, " + columns + " FROM attempts WHERE seq = 5", 6},
	} {
		t.Run(tc.name, func(t *testing.T) {
			file := inFolder(t)
			s := open(t, file, time.Now)
			record(t, s, 5)
			wantWhole(t, s, 5)
			raw(t, file, append(unlock, tc.statement)...)
			checked, err := s.CheckAttempts(t.Context())
			if broken, ok := errors.AsType[*store.BrokenError](err); !ok || broken.Seq != tc.want || checked != tc.want-1 {
				t.Errorf("got %d checked, %v; want it broken at %d", checked, err, tc.want)
			}
		})
	}
}

// hash is how anybody may check the chain: SHA-256 over fields that each have their length before them, in 8 bytes. It must
// not change under the logs that exist.
func hash(a store.Attempt, before string) string {
	var text []byte
	for _, field := range []string{
		"muster attempt 1", before, fmt.Sprint(a.Seq), fmt.Sprint(a.At.UnixMicro()), string(a.Kind), a.Actor, a.Remote, a.Subject,
		a.Message, a.Detail,
	} {
		text = append(text, 0, 0, 0, 0, 0, 0, byte(len(field)>>8), byte(len(field)))
		text = append(text, field...)
	}
	return fmt.Sprintf("%x", sha256.Sum256(text))
}

func TestHashesCanBeComputedElsewhere(t *testing.T) {
	file := inFolder(t)
	s := open(t, file, time.Now)
	record(t, s, 2)
	_, err := s.Record(t.Context(), store.Attempt{Kind: store.AttemptLogin, Detail: strings.Repeat("가", 150)})
	must(t, err)
	before := ""
	var last store.Attempt
	for _, a := range attempts(t, s) {
		if want := hash(a, before); a.Hash != want {
			t.Errorf("%d: got %s, want %s", a.Seq, a.Hash, want)
		}
		last, before = a, a.Hash
	}

	// Hashes that were made to fit do not hide a gap.
	last.Seq = 5
	second := attempts(t, s)[1].Hash
	raw(t, file, append(unlock, fmt.Sprintf("UPDATE attempts SET seq = 5, hash = '%s' WHERE seq = 3", hash(last, second)))...)
	checked, err := s.CheckAttempts(t.Context())
	if broken, ok := errors.AsType[*store.BrokenError](err); !ok || broken.Seq != 3 || checked != 2 {
		t.Errorf("got %d checked, %v; want it broken at 3", checked, err)
	}
}

// What the chain alone does not tell is told by a head that was kept elsewhere.
func TestATailCutOffIsFoundByItsHead(t *testing.T) {
	file := inFolder(t)
	s := open(t, file, time.Now)
	record(t, s, 5)
	kept, newest, err := s.Head(t.Context())
	must(t, err)
	raw(t, file, append(unlock, "DELETE FROM attempts WHERE seq > 3")...)
	wantWhole(t, s, 3)
	record(t, s, 2)
	wantWhole(t, s, 5)
	all := attempts(t, s)
	if got := all[kept-1]; got.Hash == newest {
		t.Errorf("got %+v, want another hash than the one that was kept", got)
	}
}

func TestALongLogIsWalkedWhole(t *testing.T) {
	const n = 501 // one more than are read at once
	file := inFolder(t)
	s := open(t, file, strolling())
	record(t, s, n)
	wantWhole(t, s, n)
	raw(t, file, append(unlock, "UPDATE attempts SET actor = 'kim' WHERE seq = 501")...)
	_, err := s.CheckAttempts(t.Context())
	if broken, ok := errors.AsType[*store.BrokenError](err); !ok || broken.Seq != n {
		t.Errorf("got %v, want it broken at %d", err, n)
	} else if want := "attempt 501 does not fit: the log was changed"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}

// flood records n attempts of one source and returns how many of them were written.
func flood(t testing.TB, s *store.Store, kind store.AttemptKind, remote string, n int) (written int) {
	t.Helper()
	for range n {
		a, err := s.Record(t.Context(), store.Attempt{Kind: kind, Remote: remote, Detail: "unknown"})
		must(t, err)
		if (a.Seq == 0) != (a.Hash == "") || a.At.IsZero() {
			t.Fatalf("got %+v, want an entry or none", a)
		}
		if a.Seq > 0 {
			written++
		}
	}
	return written
}

// lines shows the log in short, entries that follow their like in one line.
func lines(t testing.TB, s *store.Store) []string {
	t.Helper()
	var got []string
	last, n := "", 0
	for _, a := range attempts(t, s) {
		line := fmt.Sprintf("%s %s %s: %s", a.At.Format("15:04:05"), a.Kind, a.Remote, a.Detail)
		if line != last {
			last, n = line, 0
			got = append(got, "")
		}
		n++
		got[len(got)-1] = fmt.Sprintf("%dx %s", n, line)
	}
	return got
}

func wantLines(t testing.TB, s *store.Store, want ...string) {
	t.Helper()
	if got := lines(t, s); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if _, err := s.CheckAttempts(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAFloodIsCounted(t *testing.T) {
	c := newClock() // 09:30:00
	s := open(t, inFolder(t), c.now)
	flood(t, s, store.AttemptToken, "a", 59)
	c.move(59 * time.Second)
	if got := flood(t, s, store.AttemptToken, "a", 1235); got != 1 {
		t.Errorf("got %d written, want the 60th alone", got)
	}
	written := []string{"59x 09:30:00 token a: unknown", "1x 09:30:59 token a: unknown"}
	wantLines(t, s, written...)
	c.move(time.Second - time.Microsecond)
	if got := flood(t, s, store.AttemptToken, "a", 1); got != 0 {
		t.Error("the minute has ended too early")
	}

	c.move(time.Microsecond)
	if got := flood(t, s, store.AttemptToken, "a", 61); got != 60 {
		t.Errorf("got %d written in the next minute, want 60", got)
	}
	written = append(written, "1x 09:31:00 token a: and 1235 more within a minute", "60x 09:31:00 token a: unknown")
	wantLines(t, s, written...)

	c.move(time.Hour) // the minute's entry stands at its end, whenever it is written
	flood(t, s, store.AttemptLogin, "b", 1)
	wantLines(t, s, append(written, "1x 09:32:00 token a: and 1 more within a minute", "1x 10:31:00 login b: unknown")...)
}

func TestSixtyAreNoFlood(t *testing.T) {
	c := newClock()
	s := open(t, inFolder(t), c.now)
	for range 3 {
		if got := flood(t, s, store.AttemptToken, "a", 60); got != 60 {
			t.Errorf("got %d written, want 60", got)
		}
		c.move(time.Minute)
	}
	wantLines(t, s, "60x 09:30:00 token a: unknown", "60x 09:31:00 token a: unknown", "60x 09:32:00 token a: unknown")
}

func TestFloodsAreCountedBySource(t *testing.T) {
	c := newClock()
	s := open(t, inFolder(t), c.now)
	flood(t, s, store.AttemptToken, "a", 62)
	flood(t, s, store.AttemptToken, "b", 1)
	flood(t, s, store.AttemptLogin, "a", 63)
	c.move(30 * time.Second)
	flood(t, s, store.AttemptLink, "a", 64)
	c.move(30 * time.Second)
	flood(t, s, store.AttemptToken, "b", 1)
	c.move(30 * time.Second)
	flood(t, s, store.AttemptToken, "b", 1)
	wantLines(t, s,
		"60x 09:30:00 token a: unknown", "1x 09:30:00 token b: unknown", "60x 09:30:00 login a: unknown",
		"60x 09:30:30 link a: unknown",
		"1x 09:31:00 token a: and 2 more within a minute", "1x 09:31:00 login a: and 3 more within a minute",
		"1x 09:31:00 token b: unknown",
		"1x 09:31:30 link a: and 4 more within a minute", "1x 09:31:30 token b: unknown",
	)
}

func TestAFloodIsWrittenDownAtTheEnd(t *testing.T) {
	c := newClock()
	file := inFolder(t)
	s := open(t, file, c.now)
	flood(t, s, store.AttemptToken, "a", 70)
	c.move(10 * time.Second)
	must(t, s.Close())
	must(t, s.Close()) // once
	wantLines(t, open(t, file, c.now), "60x 09:30:00 token a: unknown", "1x 09:30:10 token a: and 10 more within a minute")
}

// A minute that began after a clock was set back is over before an older one, and is told of at once.
func TestAClockThatIsSetBackDelaysNoRest(t *testing.T) {
	c := newClock()
	s := open(t, inFolder(t), c.now)
	flood(t, s, store.AttemptToken, "a", 1)
	c.move(-10 * time.Second)
	flood(t, s, store.AttemptLink, "b", 70)
	c.move(time.Minute)
	flood(t, s, store.AttemptLink, "b", 1)
	wantLines(t, s, "1x 09:30:00 token a: unknown", "60x 09:29:50 link b: unknown", "1x 09:30:50 link b: and 10 more within a minute",
		"1x 09:30:50 link b: unknown")
}

// What could not be written counts for nothing, and what was counted before is not lost.
func TestARecordThatIsNotWritten(t *testing.T) {
	c := newClock()
	file := inFolder(t)
	s := open(t, file, c.now)
	flood(t, s, store.AttemptToken, "a", 65)
	c.move(time.Minute)
	refuse(t, file, "INSERT ON attempts", "WHEN (NEW.detail = 'unknown')")
	for range 100 {
		got, err := s.Record(t.Context(), store.Attempt{Kind: store.AttemptToken, Remote: "a", Detail: "unknown"})
		if err == nil || !strings.Contains(err.Error(), "disk full") || got != (store.Attempt{}) {
			t.Fatalf("got %+v, %v; want an error", got, err)
		}
	}
	wantWhole(t, s, 60)
	raw(t, file, on("DROP TRIGGER no_room", "DROP TRIGGER no_room ON attempts"))
	flood(t, s, store.AttemptToken, "a", 60)
	wantLines(t, s, "60x 09:30:00 token a: unknown", "1x 09:31:00 token a: and 5 more within a minute", "60x 09:31:00 token a: unknown")
}

// Two stores on one file, as two processes have, and many who write at once: one chain.
func TestWritersAtOnce(t *testing.T) {
	const writers, each = 8, 15
	file := inFolder(t)
	stores := []*store.Store{open(t, file, time.Now), open(t, file, time.Now)}
	var all sync.WaitGroup
	for n := range writers {
		s := stores[n%len(stores)]
		all.Go(func() {
			secret, _, err := s.CreateToken(t.Context(), laptop())
			if err != nil {
				t.Error(err)
			}
			for range each {
				if _, err := s.Record(t.Context(), attempt(n)); err != nil {
					t.Error(err)
				}
				if _, err := stores[(n+1)%2].Token(t.Context(), secret); err != nil {
					t.Error(err)
				}
				if _, err := s.CheckAttempts(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	for _, s := range stores {
		wantWhole(t, s, writers*each)
	}
}

// Whatever is recorded, and however time goes by: the chain is right, nothing is lost, and no source writes more than it may.
func TestAnySequenceOfAttempts(t *testing.T) {
	folder := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		c := newClock()
		file := filepath.Join(folder, store.File)
		s, err := openStore(t.Context(), file, c.now)
		if err != nil {
			rt.Fatal(err)
		}
		recorded := 0
		for range rapid.IntRange(0, 6).Draw(rt, "steps") {
			a := store.Attempt{
				Kind:   rapid.SampledFrom([]store.AttemptKind{store.AttemptToken, store.AttemptLink}).Draw(rt, "kind"),
				Remote: rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "remote"),
				Actor:  rapid.String().Draw(rt, "actor"), Detail: rapid.StringN(0, 10, -1).Draw(rt, "detail"),
				Subject: string(rapid.SliceOf(rapid.Byte()).Draw(rt, "subject")),
			}
			for range rapid.SampledFrom([]int{1, 1, 2, 5, 70}).Draw(rt, "times") {
				got, err := s.Record(t.Context(), a)
				if err != nil || !utf8.ValidString(got.Subject) {
					rt.Fatalf("got %+v, %v", got, err)
				}
				recorded++
			}
			c.move(time.Duration(rapid.IntRange(-5, 70).Draw(rt, "seconds")) * time.Second)
		}
		if err := s.Close(); err != nil {
			rt.Fatal(err)
		}
		check(t, rt, file, recorded)
		for _, suffix := range []string{"", "-wal", "-shm"} {
			if err := os.Remove(file + suffix); err != nil && suffix == "" {
				rt.Fatal(err)
			}
		}
	})
}

var rest = regexp.MustCompile(`^and (\d+) more within a minute$`)

// check reads a log as somebody else would, and holds it against how many were recorded.
func check(t *testing.T, rt *rapid.T, file string, recorded int) {
	s, err := openStore(t.Context(), file, time.Now)
	if err != nil {
		rt.Fatal(err)
	}
	all, err := s.Attempts(t.Context(), 0, 1_000_000)
	if err != nil {
		rt.Fatal(err)
	}
	told := 0
	within := map[string]int{} // of one source, since its minute was told to be over
	for _, a := range all {
		of := string(a.Kind) + a.Remote
		if m := rest.FindStringSubmatch(a.Detail); m != nil {
			n, _ := strconv.Atoi(m[1])
			if within[of] < 60 {
				rt.Errorf("%+v after %d entries, want 60", a, within[of])
			}
			told += n
			within[of] = 0
			continue
		}
		told++
		within[of]++
	}
	if told != recorded {
		rt.Errorf("the log tells of %d attempts, want %d", told, recorded)
	}
	if checked, err := s.CheckAttempts(t.Context()); err != nil || checked != int64(len(all)) {
		rt.Errorf("got %d checked, %v; want %d", checked, err, len(all))
	}
	if err := s.Close(); err != nil {
		rt.Fatal(err)
	}
}

// A flood from everywhere fills no disk: beyond a few sources that are told apart, all are one.
func TestAFloodFromEverywhereIsBounded(t *testing.T) {
	s := open(t, inFolder(t), func() time.Time { return time.Unix(1_800_000_000, 0) })
	for n := range 1_000 {
		_, err := s.Record(t.Context(), store.Attempt{Kind: store.AttemptToken, Remote: fmt.Sprint("address ", n)})
		must(t, err)
	}
	if all := attempts(t, s); len(all) != 16+60 {
		t.Errorf("%d entries, want one each of 16 sources and 60 of the others", len(all))
	}
}
