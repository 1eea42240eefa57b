package period

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"muster/internal/calendar"
)

// An ImportKind says what no history holds and somebody hands in for a period.
type ImportKind string

// The kinds of imports. These strings stand in files: add, never rename.
const (
	ServerChecks ImportKind = "server-checks"
	Resources    ImportKind = "resources"
	Use          ImportKind = "use"
	Billing      ImportKind = "billing"
	Events       ImportKind = "events" // of the platform, such as a vendor's planned maintenance
)

// ImportKinds lists the kinds in the order of reports.
func ImportKinds() []ImportKind { return []ImportKind{ServerChecks, Resources, Use, Billing, Events} }

// The bounds of an import.
const (
	MaxImport   = 1 << 20 // bytes
	maxRows     = 5_000
	maxCell     = 200 // bytes
	maxFaults   = 20  // that are told at once
	maxImported = 1_000
)

// A Column is one of the values of a row.
type Column struct {
	Name     string
	key      bool // with the date and the others it tells rows apart
	optional bool
	want     string // what would be right
	ok       func(string) bool
}

var (
	decimal  = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,6})?$`)
	currency = regexp.MustCompile(`^[A-Z]{3}$`)
)

// Units are those in which use is measured.
func Units() []string {
	return []string{"count", "requests", "hours", "vCPU-hours", "GB", "GiB", "TB", "TiB", "GB-months", "Mbit/s", "percent"}
}

// Columns are those of a kind of import. The first one is the date.
func Columns(k ImportKind) []Column {
	text := func(name string, key, optional bool) Column {
		return Column{name, key, optional, fmt.Sprintf("a text of at most %d bytes on one line", maxCell), isText}
	}
	oneOf := func(name string, all ...string) Column {
		return Column{Name: name, want: "one of " + strings.Join(all, ", "), ok: func(s string) bool { return slices.Contains(all, s) }}
	}
	percent := func(name string) Column { return Column{Name: name, want: "a percentage from 0 to 100", ok: isPercent} }
	date := Column{Name: "date", key: true}
	switch k {
	case ServerChecks:
		return []Column{date, text("server", true, false), percent("cpu"), percent("memory"), percent("disk"), oneOf("processes", "ok", "failed"), text("note", false, true)}
	case Resources:
		return []Column{date, text("resource", true, false), text("kind", false, false), oneOf("change", "none", "added", "changed", "removed"), text("note", false, true)}
	case Use:
		number := Column{Name: "quantity", want: "a number such as 1234.5", ok: func(s string) bool { return decimal.MatchString(s) && s[0] != '-' }}
		unit := oneOf("unit", Units()...)
		unit.key = true
		return []Column{date, text("item", true, false), number, unit}
	case Billing:
		amount := Column{Name: "amount", want: "an amount such as 1234.50", ok: decimal.MatchString}
		code := Column{Name: "currency", want: "a code of ISO 4217 such as KRW", ok: currency.MatchString}
		return []Column{date, text("item", true, false), amount, code}
	case Events:
		return []Column{date, text("source", true, false), text("event", true, false), text("handling", false, true)}
	}
	return nil
}

func isText(s string) bool {
	return len(s) <= maxCell && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

func isPercent(s string) bool {
	v, err := strconv.ParseFloat(s, 64)
	return err == nil && decimal.MatchString(s) && v >= 0 && v <= 100
}

// An Import is what was handed in for a period, as it is kept: with its content, and the SHA-256 of that.
type Import struct {
	Kind     ImportKind `json:"kind"`
	Customer string     `json:"customer"`
	Period   string     `json:"period"`
	Revision int        `json:"revision"` // 1, 2, 3 …: a correction has the next one
	SHA256   string     `json:"sha256"`
	Name     string     `json:"name"` // of the file that was handed in
	Imported time.Time  `json:"imported"`
	Reason   string     `json:"reason,omitempty"`  // why it corrects the one before
	Content  string     `json:"content,omitempty"` // not in reports, which show it
	rows     [][]string
}

// NewImport checks what was handed in. Its error joins all that is wrong with it.
func NewImport(k ImportKind, customer, of, name string, content []byte) (*Import, error) {
	p, err := Parse(of)
	if err != nil {
		return nil, err
	}
	if Columns(k) == nil {
		return nil, fmt.Errorf("kind %q: want one of %s", k, joinKinds())
	}
	sum := sha256.Sum256(content)
	i := &Import{
		Kind: k, Customer: customer, Period: of, Revision: 1, SHA256: hex.EncodeToString(sum[:]), Name: name, Content: string(content),
	}
	r := rows{kind: k, period: p, name: name, columns: Columns(k)}
	if i.rows, err = r.read(content); err != nil {
		return nil, err
	}
	return i, nil
}

func joinKinds() string {
	var all []string
	for _, k := range ImportKinds() {
		all = append(all, string(k))
	}
	return strings.Join(all, ", ")
}

// ReadImport reads an import that is kept. Its content must be what it was when it was handed in.
func ReadImport(kept []byte) (*Import, error) {
	var was Import
	d := json.NewDecoder(bytes.NewReader(kept))
	d.DisallowUnknownFields()
	if err := d.Decode(&was); err != nil {
		return nil, fmt.Errorf("want an import that muster report import has kept: %w", err)
	}
	now, err := NewImport(was.Kind, was.Customer, was.Period, was.Name, []byte(was.Content))
	switch {
	case err != nil:
		return nil, err
	case now.SHA256 != was.SHA256:
		return nil, fmt.Errorf("its content has the SHA-256 %s; it was imported with %s", now.SHA256, was.SHA256)
	case was.Revision < 1 || was.Revision > maxImported:
		return nil, fmt.Errorf("revision %d: want 1 to %d", was.Revision, maxImported)
	}
	was.rows = now.rows
	return &was, nil
}

// Rows are what stands in it, in the order of Columns.
func (i *Import) Rows() [][]string { return i.rows }

// Correct makes an import the correction of another one. The same content once more is none.
func (i *Import) Correct(before *Import, reason string) error {
	switch {
	case strings.TrimSpace(reason) == "":
		return fmt.Errorf("%s of %s for %s: revision %d is there with other content (SHA-256 %s); a correction wants a reason",
			i.Kind, i.Customer, i.Period, before.Revision, before.SHA256)
	case !isText(reason):
		return fmt.Errorf("reason: want a text of at most %d bytes on one line", maxCell)
	case before.Revision == maxImported:
		return fmt.Errorf("%s of %s for %s: it was corrected %d times; no more are kept", i.Kind, i.Customer, i.Period, maxImported)
	}
	i.Revision, i.Reason = before.Revision+1, reason
	return nil
}

// rows reads the rows of one import.
type rows struct {
	kind    ImportKind
	period  Period
	name    string
	columns []Column
	faults  []error
	seen    map[string]string // keys, and where they stand
	first   []string          // the first row
}

func (r *rows) fault(where, format string, args ...any) {
	if len(r.faults) < maxFaults {
		r.faults = append(r.faults, fmt.Errorf("%s:%s: %s", r.name, where, fmt.Sprintf(format, args...)))
	}
}

func (r *rows) names() (all []string) {
	for _, c := range r.columns {
		all = append(all, c.Name)
	}
	return all
}

func (r *rows) read(content []byte) (all [][]string, err error) {
	switch {
	case len(content) > MaxImport:
		return nil, fmt.Errorf("%s: %d bytes; want %d at most", r.name, len(content), MaxImport)
	case !utf8.Valid(content):
		return nil, fmt.Errorf("%s: want UTF-8", r.name)
	}
	content = bytes.TrimPrefix(content, []byte("\ufeff")) // spreadsheets write it
	r.seen = map[string]string{}
	if strings.HasPrefix(strings.TrimSpace(string(content)), "[") {
		all, err = r.fromJSON(content)
	} else {
		all, err = r.fromCSV(content)
	}
	switch {
	case err != nil:
		return nil, err
	case len(r.faults) > 0:
		return nil, errors.Join(r.faults...)
	case len(all) == 0:
		return nil, fmt.Errorf("%s: no rows; want at least one", r.name)
	case len(all) > maxRows:
		return nil, fmt.Errorf("%s: %d rows; want %d at most", r.name, len(all), maxRows)
	}
	return all, nil
}

func (r *rows) fromCSV(content []byte) (all [][]string, err error) {
	d := csv.NewReader(bytes.NewReader(content))
	d.FieldsPerRecord = -1
	head, err := d.Read()
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: it is empty; want the header %s", r.name, strings.Join(r.names(), ","))
	}
	if err == nil && !slices.Equal(head, r.names()) {
		return nil, fmt.Errorf("%s:1: header %s; want %s", r.name, strings.Join(head, ","), strings.Join(r.names(), ","))
	}
	for err == nil {
		var row []string
		if row, err = d.Read(); err != nil {
			break
		}
		line, _ := d.FieldPos(0)
		where := strconv.Itoa(line)
		if len(row) != len(r.columns) {
			r.fault(where, "%d values; want %d: %s", len(row), len(r.columns), strings.Join(r.names(), ","))
			continue
		}
		r.check(where, row)
		all = append(all, row)
	}
	if errors.Is(err, io.EOF) {
		return all, nil
	}
	var wrong *csv.ParseError
	if errors.As(err, &wrong) {
		return nil, fmt.Errorf("%s:%d: %w; want CSV with commas", r.name, wrong.Line, wrong.Err)
	}
	return nil, fmt.Errorf("%s: %w", r.name, err)
}

func (r *rows) fromJSON(content []byte) (all [][]string, err error) {
	var list []map[string]json.RawMessage
	if err := json.Unmarshal(content, &list); err != nil {
		return nil, fmt.Errorf("%s: want a list of objects: %w", r.name, err)
	}
	for n, object := range list {
		where := fmt.Sprintf(" row %d", n+1)
		row := make([]string, len(r.columns))
		for i, c := range r.columns {
			raw, given := object[c.Name]
			delete(object, c.Name)
			if given {
				row[i] = value(raw)
			}
		}
		var strange []string
		for name := range object {
			strange = append(strange, name)
		}
		slices.Sort(strange)
		for _, name := range strange {
			r.fault(where, "unknown %q; want %s", name, strings.Join(r.names(), ", "))
		}
		r.check(where, row)
		all = append(all, row)
	}
	return all, nil
}

// value is a text, or a number as it is written.
func value(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

// check says what is wrong with a row.
func (r *rows) check(where string, row []string) {
	var key []string
	for n, c := range r.columns {
		v := row[n]
		if c.key {
			key = append(key, v)
		}
		switch {
		case n == 0:
			r.checkDate(where, v)
		case v == "" && c.optional:
		case strings.TrimSpace(v) == "":
			r.fault(where, "%s: missing; want %s", c.Name, c.want)
		case !c.ok(v):
			r.fault(where, "%s %q: want %s", c.Name, v, c.want)
		}
	}
	id := strings.Join(key, "\x00")
	if before, twice := r.seen[id]; twice {
		r.fault(where, "the same %s as in%s", strings.Join(keys(r.columns), ", "), before)
	}
	r.seen[id] = " " + strings.TrimSpace(where)
	if r.first == nil {
		r.first = row
	}
	if n := len(row) - 1; r.kind == Billing && row[n] != r.first[n] {
		r.fault(where, "currency %q: want %s as in the first row; amounts of two currencies have no sum", row[n], r.first[n])
	}
}

func keys(columns []Column) (all []string) {
	for _, c := range columns {
		if c.key {
			all = append(all, c.Name)
		}
	}
	return all
}

func (r *rows) checkDate(where, v string) {
	first, last := r.period.Days()
	if d, err := calendar.ParseDate(v); err != nil || d < first || d > last {
		r.fault(where, "date %q: want a day from %s to %s", v, first, last)
	}
}
