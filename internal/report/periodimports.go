package report

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"muster/internal/period"
)

// imports are what no history holds. Of a week the resources and what has happened to the platform are read, of longer periods
// everything.
func (w *periodWriter) imports() {
	kinds := period.ImportKinds()
	if w.kind == period.Week {
		kinds = []period.ImportKind{period.Resources, period.Events}
	}
	for _, k := range kinds {
		s := w.section(string(k))
		rows := w.rows(s, k)
		if len(rows) == 0 {
			continue
		}
		switch k {
		case period.ServerChecks:
			w.serverChecks(s, rows)
		case period.Resources:
			w.resources(s, rows)
		case period.Use:
			w.sums(s, rows, w.head("item", "quantity", "unit"))
		case period.Billing:
			w.sums(s, rows, w.head("item", "amount", "currency"))
			total := new(big.Rat)
			for _, r := range rows {
				total.Add(total, rational(r[2]))
			}
			t := &s.Tables[0]
			t.Rows = append(t.Rows, row(w.say("all"), grouped(total), rows[0][3]))
		case period.Events:
			t := periodTable{Head: w.head("date", "source", "event", "handling")}
			for _, r := range rows {
				t.Rows = append(t.Rows, cells(r))
			}
			s.table(t)
		}
	}
}

// rows are those of the period, or of its months, with what is said about where they are from.
func (w *periodWriter) rows(s *periodSection, k period.ImportKind) (all [][]string) {
	find := func(of string) *period.Import {
		n := slices.IndexFunc(w.f.Imports, func(i period.Import) bool { return i.Kind == k && i.Period == of })
		if n < 0 {
			return nil
		}
		return &w.f.Imports[n]
	}
	from := func(i *period.Import) {
		all = append(all, i.Rows()...)
		said := w.sayf("imported", i.Revision, i.SHA256)
		s.Notes = append(s.Notes, periodNote{Text: said, Foreign: i.Name})
		if i.Reason != "" {
			s.Notes = append(s.Notes, periodNote{Text: w.say("corrected"), Foreign: i.Reason})
		}
	}
	if i := find(w.f.Period); i != nil {
		from(i)
		return all
	}
	var missing []string
	for _, p := range w.parts {
		if i := find(p.String()); i != nil {
			from(i)
		} else {
			missing = append(missing, p.String())
		}
	}
	if len(missing) == len(w.parts) {
		s.note(w.say("not-supplied"))
	} else if len(missing) > 0 {
		s.note(w.say("not-supplied") + ": " + strings.Join(missing, ", "))
	}
	return all
}

func cells(all []string) (r periodRow) {
	for _, c := range all {
		r.Cells = append(r.Cells, foreign(c))
	}
	return r
}

// serverChecks sums up the daily checks of each server, and lists what was found.
func (w *periodWriter) serverChecks(s *periodSection, rows [][]string) {
	t := periodTable{Caption: w.say("caption.servers"), Head: w.head("server", "checks", "cpu", "memory", "disk", "failures"), Numbers: true}
	found := periodTable{Caption: w.say("caption.found"), Head: w.head("date", "server", "result", "note")}
	for _, server := range distinct(rows, 1) {
		checks, failures := 0, 0
		peak := []*big.Rat{{}, {}, {}}
		for _, r := range rows {
			if r[1] != server {
				continue
			}
			checks++
			for n := range peak {
				if v := rational(r[2+n]); v.Cmp(peak[n]) > 0 {
					peak[n] = v
				}
			}
			if r[5] == "failed" {
				failures++
			}
		}
		line := row("", fmt.Sprint(checks), grouped(peak[0])+"%", grouped(peak[1])+"%", grouped(peak[2])+"%", fmt.Sprint(failures))
		line.Cells[0] = foreign(server)
		t.Rows = append(t.Rows, line)
	}
	for _, r := range rows {
		if r[5] == "failed" || r[6] != "" {
			line := periodRow{Cells: []periodCell{foreign(r[0]), foreign(r[1]), {Text: w.say("processes." + r[5])}, foreign(r[6])}}
			found.Rows = append(found.Rows, line)
		}
	}
	s.table(t)
	s.table(found)
}

// resources lists what was changed, and how many there are of each kind.
func (w *periodWriter) resources(s *periodSection, rows [][]string) {
	last := map[string][]string{} // of each resource
	changed := periodTable{Caption: w.say("caption.resource-changes"), Head: w.head("date", "resource", "kind", "change", "note")}
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, func(a, b []string) int { return cmp.Compare(a[0], b[0]) })
	for _, r := range rows {
		last[r[1]] = r
		if r[3] != "none" {
			line := cells(r)
			line.Cells[3] = periodCell{Text: w.say("change." + r[3])}
			changed.Rows = append(changed.Rows, line)
		}
	}
	t := periodTable{Caption: w.say("caption.resources"), Head: w.head("kind", "number"), Numbers: true}
	for _, kind := range distinct(rows, 2) {
		n := 0
		for _, r := range last {
			if r[2] == kind && r[3] != "removed" {
				n++
			}
		}
		line := row("", fmt.Sprint(n))
		line.Cells[0] = foreign(kind)
		t.Rows = append(t.Rows, line)
	}
	s.table(t)
	s.table(changed)
}

// sums adds up the third column by item and the fourth.
func (w *periodWriter) sums(s *periodSection, rows [][]string, head []string) {
	t := periodTable{Head: head}
	for _, item := range distinct(rows, 1) {
		for _, unit := range distinct(rows, 3) {
			sum, any := new(big.Rat), false
			for _, r := range rows {
				if r[1] == item && r[3] == unit {
					sum.Add(sum, rational(r[2]))
					any = true
				}
			}
			if any {
				line := row("", grouped(sum), unit)
				line.Cells[0] = foreign(item)
				t.Rows = append(t.Rows, line)
			}
		}
	}
	s.table(t)
}

// distinct are the values of a column, in order.
func distinct(rows [][]string, column int) (all []string) {
	for _, r := range rows {
		all = append(all, r[column])
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// rational reads a number that an import has checked.
func rational(s string) *big.Rat {
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return new(big.Rat)
	}
	return r
}

// grouped writes a number with its thousands apart: "1,250,000.5".
func grouped(r *big.Rat) string {
	s := r.FloatString(6)
	s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	whole, rest, fraction := strings.Cut(s, ".")
	for n := len(whole) - 3; n > 0; n -= 3 {
		whole = whole[:n] + "," + whole[n:]
	}
	if fraction {
		whole += "." + rest
	}
	return sign + whole
}
