package org

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"muster/internal/calendar"
	"muster/internal/incident"
	"muster/internal/runbook"
)

// runbooksFolder holds one Markdown file for each runbook and playbook. It may be missing.
const runbooksFolder = "runbooks"

const maxRunbookFile = 64 << 10

// kindOfRunbook is what the folder defines in it.
const kindOfRunbook = "runbook"

// The forms of what only runbooks have.
var (
	aRunbookID = in("letters, digits and hyphens, at most 63, such as RUN001", func(s string) (string, bool) { return s, runbook.ValidID(s) })
	aParameter = in("lower-case letters, digits, hyphens and underscores, at most 63, such as host", matches(`^[a-z0-9][a-z0-9_-]{0,62}$`))
	aTitle     = in("a title on one line, of at most 200 characters", aLine)
	aMethod    = oneOf(runbook.Methods()...)
	aSize      = in("a number of bytes from 1 to 64k, such as 4096 or 16k", size64k)
	aStatuses  = in("a status or a range of them, such as 204 or 200..299", codes(100, 599))
	anExit     = in("an exit code or a range of them, such as 0 or 0..3", codes(0, 255))
	aText      = in("text of at most 200 characters", aLine)
	aRun       = in("a time from 1s to 1d, such as 90s, 15m or 1h30m", func(s string) (time.Duration, bool) {
		d, ok := duration(s)
		return d, ok && time.Second <= d && d <= runbook.MaxTimeout
	})
)

func size64k(s string) (int, bool) {
	digits, unit := strings.CutSuffix(s, "k")
	n, ok := number(digits)
	if unit {
		n *= 1 << 10
	}
	return n, ok && 1 <= n && n <= runbook.MaxOutput && len(digits) <= 6
}

func codes(least, most int) func(string) (runbook.Expect, bool) {
	return func(s string) (runbook.Expect, bool) {
		first, last, isRange := strings.Cut(s, "..")
		if !isRange {
			last = first
		}
		from, ok := between(least, most)(first)
		to, also := between(least, most)(last)
		return runbook.Expect{From: from, To: to}, ok && also && from <= to
	}
}

// A written runbook is one as its file has it.
type written struct {
	runbook.Runbook

	sha256 string
	runs   []place // where the steps say what a runner does, by step
	causes []place // of playbooks: where they name runbooks
}

// Runbook returns a runbook or playbook of the folder by its ID, with the SHA-256 of its file.
func (o *Organisation) Runbook(id string) (rb runbook.Runbook, sha256 string, ok bool) {
	w, ok := o.runbooks[id]
	return w.Runbook, w.sha256, ok
}

// Runbooks returns the runbooks and playbooks of the folder in the order of their IDs.
func (o *Organisation) Runbooks() []runbook.Runbook {
	var all []runbook.Runbook
	for _, w := range o.runbooks {
		all = append(all, w.Runbook)
	}
	slices.SortFunc(all, func(a, b runbook.Runbook) int { return strings.Compare(a.ID, b.ID) })
	return all
}

// ReadRunbook reads one file by itself: what it refers to is not looked up. Its error is a *Refusal with every fault, unless
// the file cannot be read.
func ReadRunbook(path string) (rb runbook.Runbook, sha256 string, err error) {
	content, _, err := readRegular(path, maxRunbookFile)
	if err != nil {
		return runbook.Runbook{}, "", fmt.Errorf("read runbook %s: %w", path, unwrapPath(err))
	}
	r := &reader{tables: map[string]*table{}}
	w := readRunbook(r, filepath.Base(path), content)
	if len(r.faults) > 0 {
		return runbook.Runbook{}, "", &Refusal{Dir: filepath.Dir(path), Faults: sorted(r.faults)}
	}
	return w.Runbook, w.sha256, nil
}

// runbookFiles returns the Markdown files of the folder's runbooks. A README is none.
func (f *folder) runbookFiles() (names []string) {
	found, err := os.ReadDir(filepath.Join(f.dir, runbooksFolder))
	if err != nil {
		if !errors.Is(err, os.ErrNotExist) {
			f.fault(runbooksFolder, whyUnread(err))
		}
		return nil
	}
	f.touched(filepath.Join(f.dir, runbooksFolder))
	for _, e := range found {
		name := runbooksFolder + "/" + e.Name()
		switch ext := filepath.Ext(name); {
		case strings.HasPrefix(e.Name(), ".") || strings.EqualFold(e.Name(), "README.md"):
		case e.IsDir():
			f.fault(name, "a folder in a folder is not read; want its files directly in "+runbooksFolder)
		case ext == ".md":
			names = append(names, name)
		case ext == ".markdown" || isYAML(name):
			f.fault(name, "want a name that ends in .md")
		}
	}
	return names
}

// readRunbooks reads all of them. What they refer to stands in files that are read after them.
func (b *builder) readRunbooks(f *folder) {
	for _, name := range slices.Sorted(maps.Keys(f.files)) {
		if !strings.HasPrefix(name, runbooksFolder+"/") {
			continue
		}
		if f.files[name] == nil {
			b.table(kindOfRunbook).unread = true
			continue
		}
		before := len(b.faults)
		w := readRunbook(&b.reader, name, f.files[name])
		if len(b.faults) > before { // its ID may be what is wrong
			b.table(kindOfRunbook).unread = true
		}
		if w.ID == "" {
			continue
		}
		b.runbooks[w.ID] = w
		b.later = append(b.later, func() { b.checkRunbook(w) })
	}
}

// checkRunbook holds a runbook against the rest of the folder.
func (b *builder) checkRunbook(w written) {
	subject := w.Shown()
	for n, c := range w.Causes {
		if c.Runbook != "" && b.knows(w.causes[n], fmt.Sprintf("%s: cause %s: runbook", subject, show(c.Text)), kindOfRunbook, c.Runbook) {
			b.wantKind(w.causes[n], fmt.Sprintf("%s: cause %s: runbook", subject, show(c.Text)), c.Runbook, runbook.Procedure)
		}
	}
	for n, s := range w.Steps {
		if s.Automatic == nil {
			continue
		}
		at := w.runs[n]
		if err := b.runners.allowed.Check(s.Automatic); err != nil {
			b.fault(at, "%s: step %d: %s, in %s", subject, s.Number, err, settingsFile)
		}
		for _, name := range s.Automatic.Secrets {
			if _, known := b.runners.secret(name); !known {
				b.fault(at, "%s: step %d: secret %s: no such secret; want it in runners: secrets, in %s; %s", subject, s.Number, show(name), settingsFile,
					b.hint(name, b.runners.names()))
			}
		}
	}
}

// wantKind makes a fault of a runbook where a playbook has to be, and the other way round.
func (b *builder) wantKind(at place, subject, id string, kind runbook.Kind) {
	if w, ok := b.runbooks[id]; ok && w.Kind != kind {
		b.fault(at, "%s %s: is a %s; want a %s", subject, show(id), w.Kind, kind)
	}
}

// staleRunbooks warns of what nobody has looked at for too long: a procedure goes out of date with the system it is for.
func (b *builder) staleRunbooks(w *reader, now time.Time) {
	const most = 365 // days
	today := calendar.DateOf(now.In(b.org.Zone))
	for id, rb := range b.runbooks {
		at := w.placeOf(kindOfRunbook, id)
		switch {
		case rb.ReviewBy != 0 && rb.ReviewBy < today:
			w.fault(at, "%s: was to be reviewed by %s", rb.Shown(), rb.ReviewBy)
		case rb.Updated < today-most:
			w.fault(at, "%s: was last updated on %s, more than %d days ago; want somebody to run it and say that it is still right", rb.Shown(), rb.Updated, most)
		case rb.Updated > today:
			w.fault(at, "%s: was last updated on %s, which has not come yet", rb.Shown(), rb.Updated)
		}
	}
}

// readRunbook reads a file as far as it can.
func readRunbook(r *reader, file string, content []byte) written {
	before := len(r.faults)
	sum := sha256.Sum256(content)
	w := written{sha256: hex.EncodeToString(sum[:])}
	whole := place{file, 1, 1}
	if len(content) > maxRunbookFile {
		r.fault(whole, "%d bytes; want at most %d: a long procedure is several runbooks", len(content), maxRunbookFile)
		return w
	}
	d, structured := parseMarkdown(r, file, content)
	if d.title.line == 0 {
		if structured {
			r.fault(whole, "title: missing; want # and a title on the first line")
		}
	} else {
		w.Title, _ = value(r, d.title.node(), "title", aTitle)
	}
	subject, at := w.readHeader(r, d.header, whole, structured)
	if w.ID != "" {
		r.define(at, subject+": id", kindOfRunbook, w.ID)
	}
	w.readParameters(r, d.sections[parametersSection], subject)
	w.readCauses(r, d.sections[causesSection], subject)
	w.Notes = d.notes
	for n, e := range d.steps {
		w.readStep(r, e, n+1, subject)
	}
	if len(r.faults) == before { // what is left over are sums
		for _, err := range w.Check() {
			r.fault(d.stepsAt, "%s", err)
		}
	}
	return w
}

// A column is one heading of a table, in both languages.
type column struct{ key, english, korean string }

// columnsOf returns the header of a runbook, or with the two more of a playbook.
func columnsOf(isRunbook bool) []column {
	kind, korean := "Runbook", "런북"
	if !isRunbook {
		kind, korean = "Playbook", "플레이북"
	}
	all := []column{
		{"id", kind + " ID", korean + " ID"},
		{"description", "Description", "설명"},
		{"tools", "Tools Used", "사용 도구"},
		{"permissions", "Special Permissions", "특수 권한"},
		{"author", kind + " Author", korean + " 작성자"},
		{"updated", "Last Updated", "최종 수정일"},
		{"escalation", "Escalation POC", "에스컬레이션 담당자"},
	}
	if !isRunbook {
		all = append(all, column{"stakeholders", "Stakeholders", "이해관계자"}, column{"communication", "Communication Plan", "커뮤니케이션 계획"})
	}
	return all
}

// reviewBy may stand in every header.
var reviewBy = column{"review", "Review by", "검토 기한"}

func (c column) is(heading string) bool {
	return strings.EqualFold(heading, c.english) || heading == c.korean
}

// readHeader reads the table at the top, and returns what the runbook is called in faults.
func (w *written) readHeader(r *reader, g *grid, whole place, structured bool) (subject string, at place) {
	subject = "runbook"
	if g == nil {
		if structured {
			r.fault(whole, "header: missing; want a table with %s, or with Playbook ID and two more", headings(columnsOf(true)))
		}
		return subject, whole
	}
	w.Kind = runbook.Procedure
	if slices.ContainsFunc(g.rows[0], func(c cell) bool { return columnsOf(false)[0].is(c.text) }) {
		w.Kind, subject = runbook.Investigation, "playbook"
	}
	cells, ok := r.onlyRow(g, subject, columnsOf(w.Kind == runbook.Procedure), reviewBy)
	if !ok {
		return subject, g.place
	}
	if id, ok := value(r, cells["id"].node(), subject+": id", aRunbookID); ok {
		w.ID = id
		subject += " " + id
	}
	text := func(key string, into *string) { *into, _ = value(r, cells[key].node(), subject+": "+key, aProse) }
	text("description", &w.Description)
	text("tools", &w.Tools)
	text("permissions", &w.Permissions)
	text("author", &w.Author)
	text("escalation", &w.Escalation)
	w.Updated, _ = value(r, cells["updated"].node(), subject+": last updated", aDate)
	if w.Kind == runbook.Investigation {
		text("stakeholders", &w.Stakeholders)
		text("communication", &w.Communication)
	}
	if c, has := cells["review"]; has && c.text != "" {
		w.ReviewBy, _ = value(r, c.node(), subject+": review by", aDate)
	}
	return subject, cells["id"].place
}

// onlyRow reads a table of one row by its headings.
func (r *reader) onlyRow(g *grid, subject string, columns []column, more ...column) (map[string]cell, bool) {
	keys, ok := r.headed(g, subject, columns, more...)
	if len(g.rows) != 2 {
		r.fault(g.place, "%s: header: %s under its headings; want one, on one line", subject, count(len(g.rows)-1, "row"))
		return nil, false
	}
	if !ok || !r.full(g.rows[1], len(keys), subject+": header") {
		return nil, false
	}
	cells := map[string]cell{}
	for n, key := range keys {
		cells[key] = g.rows[1][n]
	}
	return cells, true
}

// headed returns which column each heading of a table is.
func (r *reader) headed(g *grid, subject string, columns []column, more ...column) (keys []string, ok bool) {
	before := len(r.faults)
	var known []string
	for _, c := range slices.Concat(columns, more) {
		known = append(known, c.english, c.korean)
	}
	for _, h := range g.rows[0] {
		n := slices.IndexFunc(slices.Concat(columns, more), func(c column) bool { return c.is(h.text) })
		if n < 0 {
			r.fault(h.place, "%s: unknown heading %s; %s", subject, show(h.text), r.hint(h.text, known))
			continue
		}
		key := slices.Concat(columns, more)[n].key
		if slices.Contains(keys, key) {
			r.fault(h.place, "%s: heading %s: stands there already", subject, show(h.text))
		}
		keys = append(keys, key)
	}
	for _, c := range columns {
		if !slices.Contains(keys, c.key) && len(keys) == len(g.rows[0]) {
			r.fault(g.place, "%s: heading %s: missing", subject, c.english)
		}
	}
	return keys, len(r.faults) == before
}

// full makes a fault of a row that has more or fewer cells than there are headings.
func (r *reader) full(row []cell, want int, subject string) bool {
	if len(row) == want {
		return true
	}
	r.fault(row[0].place, "%s: a row of %d cells; want %d, as there are headings", subject, len(row), want)
	return false
}

func headings(columns []column) string {
	var all []string
	for _, c := range columns {
		all = append(all, c.english)
	}
	return strings.Join(all, ", ")
}

// node is the cell as a value of a definition.
func (c cell) node() node {
	n := node{place: c.place, kind: text, text: c.text}
	if c.text == "" {
		n.kind = absent
	}
	return n
}

// rowsOf returns the cells of a table of many rows, by their columns.
func (r *reader) rowsOf(g *grid, subject string, columns []column) (all []map[string]cell) {
	if g == nil {
		return nil
	}
	keys, ok := r.headed(g, subject, columns)
	for _, row := range g.rows[1:] {
		if !ok || !r.full(row, len(keys), subject) {
			continue
		}
		cells := map[string]cell{}
		for n, key := range keys {
			cells[key] = row[n]
		}
		all = append(all, cells)
	}
	return all
}

func (w *written) readParameters(r *reader, g *grid, subject string) {
	for _, row := range r.rowsOf(g, subject+": parameters", []column{{"id", "Parameter", "매개변수"}, {"description", "Description", "설명"}}) {
		id, ok := value(r, row["id"].node(), subject+": parameter", aParameter)
		known := func(p runbook.Parameter) bool { return p.ID == id }
		if ok && slices.ContainsFunc(w.Parameters, known) {
			r.fault(row["id"].place, "%s: parameter %s: stands there already", subject, show(id))
		}
		description, _ := value(r, row["description"].node(), subject+": parameter "+id+": description", aProse)
		w.Parameters = append(w.Parameters, runbook.Parameter{ID: id, Description: description})
	}
}

func (w *written) readCauses(r *reader, g *grid, subject string) {
	if g != nil && w.Kind == runbook.Procedure {
		r.fault(g.place, "%s: causes: want none; only a playbook looks for causes", subject)
		return
	}
	for _, row := range r.rowsOf(g, subject+": causes", []column{{"cause", "Cause", "원인"}, {"runbook", "Runbook", "런북"}}) {
		c := runbook.Cause{}
		c.Text, _ = value(r, row["cause"].node(), subject+": cause", aProse)
		if row["runbook"].text != "" { // else: escalate
			c.Runbook, _ = value(r, row["runbook"].node(), subject+": cause: runbook", aRunbookID)
		}
		w.Causes = append(w.Causes, c)
		w.causes = append(w.causes, row["runbook"].place)
	}
}

// readStep reads one step with what a runner does for it.
func (w *written) readStep(r *reader, e entry, number int, subject string) {
	subject = fmt.Sprintf("%s: step %d", subject, number)
	s := runbook.Step{Number: number, Text: e.text}
	for _, err := range w.CheckText(s.Text) {
		r.fault(e.place, "%s: %s", subject, err)
	}
	at := e.place
	for n, b := range e.blocks {
		if n > 0 {
			r.fault(b.place, "%s: a second block for a runner; want one in each step: this one is another step", subject)
			break
		}
		at = b.place
		before := len(r.faults)
		s.Automatic = readBlock(r, b, subject)
		if len(r.faults) == before {
			for _, err := range w.CheckAutomatic(s.Automatic) {
				r.fault(b.place, "%s: %s", subject, err)
			}
		}
		if len(r.faults) > before { // whether it is allowed would only confuse
			s.Automatic = nil
		}
	}
	w.Steps, w.runs = append(w.Steps, s), append(w.runs, at)
}

// What a step says of itself where it does not: all of it may be set beside the kind of its block.
const (
	usualTimeout = 30 * time.Second
	usualOutput  = 4 << 10
)

func blockKinds() []string { return []string{runbook.ByHTTP, runbook.ByCommand} }

// readBlock reads what a runner does.
func readBlock(r *reader, b block, subject string) *runbook.Automatic {
	a := &runbook.Automatic{Timeout: usualTimeout, Output: usualOutput}
	words, broken := infoWords(b.info)
	if broken != "" {
		r.fault(b.place, "%s: %s", subject, broken)
		return a
	}
	a.Runner = words[0].key
	if a.Runner == runbook.ByHTTP {
		a.Expect = runbook.Expect{From: 200, To: 299}
	}
	for n, word := range words[1:] {
		given := func(p pair[*string]) bool { return p.key == word.key }
		if slices.ContainsFunc(words[1:n+1], given) {
			r.fault(b.place, "%s: %s: stands there already", subject, word.key)
		}
		readAttribute(r, a, word, b.place, subject)
	}
	for _, line := range b.lines {
		if strings.ContainsFunc(line.text, func(c rune) bool { return c != '\t' && unprintable(c) }) {
			r.fault(line.place, "%s: %s: want printable characters only; a space may be a no-break space", subject, show(line.text))
		}
	}
	if a.Runner == runbook.ByHTTP {
		readRequest(r, a, b, subject)
	} else {
		readCommand(r, a, b, subject)
	}
	_, a.Secrets = a.Names()
	return a
}

// readAttribute reads one word beside the kind of a block.
func readAttribute(r *reader, a *runbook.Automatic, word pair[*string], at place, subject string) {
	expect := "expect"
	known := []string{"timeout", "output", "has", expect}
	if a.Runner == runbook.ByCommand {
		expect = "exit"
		known = []string{"timeout", "output", "has", expect, "shell", "env.NAME"}
	}
	n := node{place: at}
	if word.value != nil {
		n.kind, n.text = text, *word.value
	}
	variable, isVariable := strings.CutPrefix(word.key, "env.")
	switch about := subject + ": " + word.key; {
	case word.key == "timeout":
		a.Timeout, _ = value(r, n, about, aRun)
	case word.key == "output":
		a.Output, _ = value(r, n, about, aSize)
	case word.key == "has":
		a.Expect.Has, _ = value(r, n, about, aText)
	case word.key == expect && expect == "exit":
		has := a.Expect.Has
		a.Expect, _ = value(r, n, about, anExit)
		a.Expect.Has = has
	case word.key == expect:
		has := a.Expect.Has
		a.Expect, _ = value(r, n, about, aStatuses)
		a.Expect.Has = has
	case word.key == "shell" && expect == "exit":
		if a.Shell = true; word.value != nil {
			r.fault(at, "%s: want the word alone", about)
		}
	case isVariable && expect == "exit":
		v, _ := value(r, n, about, aText)
		a.Environment = append(a.Environment, runbook.Pair{Name: variable, Value: v})
	default:
		r.fault(at, "%s: unknown word %s; %s", subject, show(word.key), r.hint(word.key, known))
	}
}

// infoWords cuts what stands behind a fence: words, and names with values, which may stand in quotes.
func infoWords(info string) (words []pair[*string], broken string) {
	for rest := strings.TrimSpace(info); rest != ""; rest = strings.TrimLeft(rest, " \t") {
		end := strings.IndexAny(rest, "= \t")
		if end < 0 {
			end = len(rest)
		}
		word := pair[*string]{key: rest[:end]}
		rest = rest[end:]
		if v, ok := strings.CutPrefix(rest, "="); ok {
			quoted, err := strconv.QuotedPrefix(v)
			switch {
			case strings.HasPrefix(v, `"`) && err != nil:
				return nil, fmt.Sprintf("%s: want a second quotation mark at the end of its value", show(word.key))
			case strings.HasPrefix(v, `"`):
				plain, _ := strconv.Unquote(quoted)
				word.value, rest = &plain, v[len(quoted):]
			default:
				plain := v[:unquoted(v)]
				word.value, rest = &plain, v[len(plain):]
			}
			if rest != "" && rest[0] != ' ' && rest[0] != '\t' {
				return nil, fmt.Sprintf("%s: want a space after its value", show(word.key))
			}
		}
		words = append(words, word)
	}
	return words, ""
}

// unquoted is the length of a value without quotes. It ends before a space that stands in no placeholder.
func unquoted(v string) int {
	open := false
	for n := range len(v) {
		switch {
		case strings.HasPrefix(v[n:], "{{"):
			open = true
		case strings.HasPrefix(v[n:], "}}"):
			open = false
		case v[n] == ' ' && !open:
			return n
		}
	}
	return len(v)
}

// readRequest reads a method and a URL, headers, an empty line and a body.
func readRequest(r *reader, a *runbook.Automatic, b block, subject string) {
	if len(b.lines) == 0 {
		r.fault(b.place, "%s: an empty block; want a request, such as GET https://app.example/health", subject)
		return
	}
	first := b.lines[0]
	method, url, _ := strings.Cut(first.text, " ")
	a.HTTP.Method, _ = value(r, node{place: first.place, kind: text, text: method}, subject+": method", aMethod)
	a.HTTP.URL = strings.TrimSpace(url)
	body := len(b.lines)
	for n, line := range b.lines[1:] {
		if line.text == "" {
			body = n + 2
			break
		}
		name, v, ok := strings.Cut(line.text, ":")
		if !ok {
			r.fault(line.place, "%s: header %s: want NAME: VALUE, and an empty line before a body", subject, show(line.text))
			continue
		}
		a.HTTP.Headers = append(a.HTTP.Headers, runbook.Header{Name: name, Value: strings.TrimSpace(v)})
	}
	var lines []string
	for _, line := range b.lines[min(body, len(b.lines)):] {
		lines = append(lines, line.text)
	}
	a.HTTP.Body = strings.Join(lines, "\n")
}

// readCommand reads a program and its arguments, each on a line of its own, or a script.
func readCommand(r *reader, a *runbook.Automatic, b block, subject string) {
	if len(b.lines) == 0 {
		r.fault(b.place, "%s: an empty block; want a program and its arguments, each on a line of its own", subject)
		return
	}
	var lines []string
	for _, line := range b.lines {
		if !a.Shell && line.text != strings.TrimSpace(line.text) || !a.Shell && line.text == "" {
			r.fault(line.place, "%s: argument %s: want one on each line, without spaces around it", subject, show(line.text))
		}
		lines = append(lines, line.text)
	}
	if a.Command = lines; a.Shell {
		a.Command = []string{strings.Join(lines, "\n")}
	}
}

// procedure reads where a response plan leads: to a runbook or playbook of the folder, or to a URL.
func (b *builder) procedure(o *object, kind runbook.Kind) incident.Link {
	key := string(kind)
	if !o.has(key) {
		return incident.Link{}
	}
	to, ok := value(o.reader, o.field(key), o.about(key), in("the ID of a "+key+" in "+runbooksFolder+", or a URL that begins with https:// or http://",
		func(s string) (string, bool) {
			_, ok := webURL(s)
			return s, ok || runbook.ValidID(s)
		}))
	switch _, isURL := webURL(to); {
	case isURL:
		return incident.Link{URL: to, Kind: incident.LinkKind(kind)}
	case !ok || !o.knows(o.field(key).place, o.about(key), kindOfRunbook, to):
		return incident.Link{}
	}
	b.wantKind(o.field(key).place, o.about(key), to, kind)
	return incident.Link{Runbook: to, Title: b.runbooks[to].Title, Kind: incident.LinkKind(kind)}
}
