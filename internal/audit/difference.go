package audit

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	commonpb "go.temporal.io/api/common/v1"
)

// A Difference is one thing that this program does otherwise than the record says. Where one of the two has nothing, its value is
// empty; else it is JSON, or what Temporal says.
type Difference struct {
	Run      int    `json:"run"`             // of the chain, the first is 1
	Event    int64  `json:"event,omitempty"` // of the run; 0 where the record has none
	Kind     Kind   `json:"kind"`
	Of       string `json:"of,omitempty"`   // such as the type of the activity, or the name and id of the Update
	Path     string `json:"path,omitempty"` // in its JSON, such as $.steps[2].at
	Recorded string `json:"recorded,omitempty"`
	Replayed string `json:"replayed,omitempty"`
}

// Kind is what differs. The words are those of the report, too.
type Kind string

// The kinds of differences.
const (
	EventNumber  Kind = "event number" // Temporal counts 1, 2, 3 …: an event is missing, or was put in
	WorkflowType Kind = "workflow type"
	Decision     Kind = "decision" // as Temporal's own replayer compares them
	TimerLength  Kind = "timer length"
	ActivityIn   Kind = "activity input"
	ChildStart   Kind = "child workflow"
	ChildIn      Kind = "child workflow input"
	SignalSent   Kind = "signal"
	UpdateAnswer Kind = "update answer"
	Attributes   Kind = "search attributes"
	Memo         Kind = "memo"
	Removed      Kind = "number of fields taken away"      // from search attributes or memo
	TakenOver    Kind = "input against what was handed on" // of the run before, as both are recorded
	HandedOn     Kind = "state handed on"
	Result       Kind = "result"
	Failure      Kind = "failure"
	State        Kind = "state"
	Timeline     Kind = "timeline"
	Unanswered   Kind = "event without a cause" // nothing of this program was seen to ask for it
)

// String is the difference in one line.
func (d Difference) String() string {
	where := fmt.Sprintf("run %d", d.Run)
	if d.Event != 0 {
		where += fmt.Sprintf(", event %d", d.Event)
	}
	what := strings.Join(slices.DeleteFunc([]string{string(d.Kind), d.Of, d.Path}, func(s string) bool { return s == "" }), " ")
	return fmt.Sprintf("%s: %s: the record has %s, this program %s", where, what, cmp.Or(d.Recorded, "nothing"), cmp.Or(d.Replayed, "nothing"))
}

// mostDifferences are listed of one chain; the rest is counted. One that begins early brings many after it.
const mostDifferences = 20

// Differences are those of one chain, in the order in which they were found.
type Differences struct {
	Listed []Difference `json:"listed,omitempty"`
	More   int          `json:"more,omitempty"`  // that are not listed
	Kinds  map[Kind]int `json:"kinds,omitempty"` // how many there are of each, the ones that are not listed too
}

func (all *Differences) add(d Difference) {
	if all.Kinds == nil {
		all.Kinds = map[Kind]int{}
	}
	all.Kinds[d.Kind]++
	if len(all.Listed) == mostDifferences {
		all.More++
		return
	}
	d.Recorded, d.Replayed = short(d.Recorded), short(d.Replayed)
	all.Listed = append(all.Listed, d)
}

// Err is nil when there are none.
func (all *Differences) Err() error {
	if len(all.Listed) == 0 {
		return nil
	}
	return &DifferentError{*all}
}

// A DifferentError says in what a replay differs from the record.
type DifferentError struct{ Differences }

// Error lists them, one a line.
func (e *DifferentError) Error() string {
	var lines []string
	for _, d := range e.Listed {
		lines = append(lines, d.String())
	}
	if e.More > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", e.More))
	}
	return "replay: " + strings.Join(lines, "\n")
}

// short cuts a value that would fill the screen.
func short(value string) string {
	const most = 160
	if len(value) <= most {
		return value
	}
	end := most
	for !utf8.RuneStart(value[end]) {
		end--
	}
	return value[:end] + "…"
}

// payloads compares what the record has with what this program has encoded. Equal bytes need no look; other bytes may still
// mean the same.
func (all *Differences) payloads(at Difference, recorded, replayed *commonpb.Payloads) {
	was, is := recorded.GetPayloads(), replayed.GetPayloads()
	for n := range max(len(was), len(is)) {
		at := at
		if len(was) > 1 || len(is) > 1 {
			at.Of += fmt.Sprintf(" #%d", n+1)
		}
		var before, now []byte
		if n < len(was) {
			before = was[n].GetData()
		}
		if n < len(is) {
			now = is[n].GetData()
		}
		all.texts(at, before, now)
	}
}

// texts compares two JSON texts by what they mean: the order of keys, white space and escapes are free.
func (all *Differences) texts(at Difference, recorded, replayed []byte) {
	if bytes.Equal(recorded, replayed) {
		return
	}
	was, okBefore := decoded(recorded)
	is, okNow := decoded(replayed)
	if !okBefore || !okNow {
		at.Recorded, at.Replayed = string(recorded), string(replayed)
		all.add(at)
		return
	}
	all.values(at, "$", was, is)
}

func decoded(text []byte) (v any, ok bool) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return nil, false
	}
	_, err := d.Token() // nothing may follow
	return v, errors.Is(err, io.EOF)
}

func (all *Differences) values(at Difference, path string, was, is any) {
	switch before := was.(type) {
	case map[string]any:
		if now, ok := is.(map[string]any); ok {
			all.objects(at, path, before, now)
			return
		}
	case []any:
		if now, ok := is.([]any); ok {
			all.lists(at, path, before, now)
			return
		}
	case json.Number:
		if now, ok := is.(json.Number); ok && sameNumber(before, now) {
			return
		}
	default: // text, truth or null
		if was == is {
			return
		}
	}
	at.Path, at.Recorded, at.Replayed = path, shown(was), shown(is)
	all.add(at)
}

func (all *Differences) objects(at Difference, path string, was, is map[string]any) {
	keys := slices.Sorted(maps.Keys(was))
	for k := range is {
		if _, both := was[k]; !both {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	for _, k := range keys {
		before, had := was[k]
		now, has := is[k]
		at.Path = path + step(k)
		switch {
		case !had:
			at.Recorded, at.Replayed = "", shown(now)
			all.add(at)
		case !has:
			at.Recorded, at.Replayed = shown(before), ""
			all.add(at)
		default:
			all.values(at, at.Path, before, now)
		}
	}
}

func (all *Differences) lists(at Difference, path string, was, is []any) {
	for n := range max(len(was), len(is)) {
		at.Path = fmt.Sprintf("%s[%d]", path, n)
		switch {
		case n >= len(was):
			at.Recorded, at.Replayed = "", shown(is[n])
			all.add(at)
		case n >= len(is):
			at.Recorded, at.Replayed = shown(was[n]), ""
			all.add(at)
		default:
			all.values(at, at.Path, was[n], is[n])
		}
	}
}

// step is a key in a path: quoted where it is no plain word.
func step(key string) string {
	plain := key != "" && !strings.ContainsFunc(key, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
	if plain {
		return "." + key
	}
	return "[" + strconv.Quote(key) + "]"
}

// sameNumber tells whether two numbers are equal however they are written, such as 1 and 1.0. What a float cannot hold is equal
// only when it is written alike.
func sameNumber(a, b json.Number) bool {
	if a == b {
		return true
	}
	if _, whole := a.Int64(); whole == nil {
		if _, whole := b.Int64(); whole == nil {
			return false
		}
	}
	x, errX := a.Float64()
	y, errY := b.Float64()
	return errX == nil && errY == nil && x == y
}

// shown is a value as JSON.
func shown(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return "?"
	}
	return strings.TrimSpace(b.String())
}
