package period

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Read reads facts that were written down as JSON.
func Read(content []byte) (*Facts, error) {
	d := json.NewDecoder(bytes.NewReader(content))
	d.DisallowUnknownFields()
	var f Facts
	switch err := d.Decode(&f); {
	case err != nil:
		return nil, fmt.Errorf("read period report: %w; want what muster report period --format json has written", err)
	case f.Form != Form:
		return nil, fmt.Errorf("read period report: form %d; want %d", f.Form, Form)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("read period report: something follows it; want one report")
	}
	return &f, nil
}

// Verify recounts facts, and says what is not so: of each figure what the bundles say that it names, and what all bundles say that
// there are, for whoever leaves a bundle out has another figure too.
func Verify(f *Facts, records []Record, zones Zones) (differences []string, err error) {
	differ := func(format string, args ...any) { differences = append(differences, fmt.Sprintf(format, args...)) }
	archive := map[string]string{} // SHA-256 by file
	for _, r := range records {
		archive[r.File] = r.SHA256
	}
	listed := map[string]bool{}
	for _, b := range f.Bundles {
		switch sum, there := archive[b.File]; {
		case !there:
			differ("bundle %s: it is not in the archive", b.File)
		case sum != b.SHA256:
			differ("bundle %s: its SHA-256 is %s; the report was counted from one with %s", b.File, sum, b.SHA256)
		default:
			listed[b.File] = true
		}
	}
	cache := map[string]*Facts{}
	recount := func(files []string) (*Facts, error) {
		key := strings.Join(files, "\n")
		if cache[key] != nil {
			return cache[key], nil
		}
		named := map[string]bool{}
		for _, file := range files {
			named[file] = listed[file]
		}
		got, err := Compute(slices.DeleteFunc(slices.Clone(records), func(r Record) bool { return !named[r.File] }), f.Asked, zones)
		cache[key] = got
		return got, err
	}
	for n := range f.Figures {
		x := &f.Figures[n]
		if slices.ContainsFunc(f.Figures[:n], func(o Figure) bool { return o.Same(x) }) {
			differ("figure %s: it is there twice", x.name())
		}
		got, err := recount(x.Bundles)
		if err != nil {
			return nil, fmt.Errorf("recount period report: %w", err)
		}
		if y, _ := got.Figure(x.Key, x.Of); !x.equal(&y) {
			differ("figure %s: written %s, counted %s from the %d bundle(s) that it names", x.name(), x.shown(), y.shown(), len(x.Bundles))
		}
	}
	whole, err := Compute(records, f.Asked, zones)
	if err != nil {
		return nil, fmt.Errorf("recount period report: %w", err)
	}
	for n := range whole.Figures {
		y := &whole.Figures[n]
		x, written := f.Figure(y.Key, y.Of)
		switch {
		case !written:
			differ("figure %s: it is not in the report; the archive says %s", y.name(), y.shown())
		case !x.equal(y) || !slices.Equal(x.Bundles, y.Bundles):
			differ("figure %s: written %s, the whole archive says %s%s", y.name(), x.shown(), y.shown(), uncounted(x.Bundles, y.Bundles))
		}
	}
	if !f.From.Equal(whole.From) || !f.To.Equal(whole.To) {
		differ("period %s: it is from %s to %s", f.Period, whole.From, whole.To)
	}
	for n, name := range []string{"incidents", "alerts", "changes", "maintenance", "actions", "requests"} {
		if name == "alerts" && f.Alerts == nil { // it is from before they were listed, or there were none
			continue
		}
		if !bytes.Equal(f.lists()[n], whole.lists()[n]) {
			differ("list of %s: it is not what the archive says", name)
		}
	}
	return differences, nil
}

// uncounted names the bundles that one list has and another has not.
func uncounted(have, want []string) string {
	var out []string
	for _, f := range want {
		if !slices.Contains(have, f) {
			out = append(out, f)
		}
	}
	if len(out) == 0 {
		return ""
	}
	return "; not counted: " + strings.Join(out, ", ")
}

// lists are the lines as they are written.
func (f *Facts) lists() (all [6][]byte) {
	for n, list := range []any{f.Incidents, f.Alerts, f.Changes, f.Maintenance, f.Actions, f.Requests} {
		all[n], _ = json.Marshal(list) // of plain data
	}
	return all
}

func (f *Figure) name() string {
	if f.Of == "" {
		return f.Key
	}
	return f.Key + " of " + f.Of
}

// equal tells whether two figures have the same value. What is not counted at all is nothing.
func (f *Figure) equal(o *Figure) bool {
	if f.Value == nil || o.Value == nil {
		return f.Value == o.Value || o.Key == "" && *f.Value == 0
	}
	return *f.Value == *o.Value && f.Unit == o.Unit
}

func (f *Figure) shown() string {
	if f.Value == nil {
		return "nothing"
	}
	v := strconv.FormatFloat(*f.Value, 'f', -1, 64)
	switch f.Unit {
	case Percent:
		return v + " %"
	case Seconds:
		return v + " s"
	default:
		return v
	}
}
