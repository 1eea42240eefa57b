package org

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"muster/internal/runbook"
)

// The forms of what only runbooks have.
var (
	aRunbookID = in("letters, digits and hyphens, at most 63, such as RUN001", func(s string) (string, bool) { return s, runbook.ValidID(s) })
	aParameter = in("lower-case letters, digits, hyphens and underscores, at most 63, such as host", matches(`^[a-z0-9][a-z0-9_-]{0,62}$`))
	aTitle     = in("a title on one line, of at most 200 characters", aLine)
)

// A written runbook is one as its file has it.
type written struct {
	runbook.Runbook

	sha256 string
	runs   []place // where the steps say what a runner does, by step
	causes []place // of playbooks: where they name runbooks
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
