package routine

import (
	"slices"
	"strconv"
	"time"

	"muster/internal/timeline"
)

// A Visit is an occurrence as the ledger of the customer has counted it. It counts in the year in which it began, however late it was done.
type Visit struct {
	Number int `json:"number"`           // which of the year it was, with those of requests
	Bought int `json:"bought,omitempty"` // for the year; 0: no number stands in the support plan or the contract
	Year   int `json:"year"`
}

// Beyond tells whether it was more than the customer has bought.
func (v Visit) Beyond() bool { return v.Bought > 0 && v.Number > v.Bought }

// count asks for the visits to be counted that nobody is counting.
func (r *Routine) count(now time.Time) {
	for n := range r.Uncounted {
		o := &r.Uncounted[n]
		if !o.Under && !now.Before(o.Next) {
			o.Under = true
			r.fresh = append(r.fresh, Work{Do: Count, Occurrence: *o})
		}
	}
}

// Counted takes in as which visit an occurrence was counted. With a detail it is not known whether it was: it is counted again, which is once.
func (r *Routine) Counted(planned time.Time, v Visit, detail string, now time.Time) {
	n := slices.IndexFunc(r.Uncounted, func(o Occurrence) bool { return o.Planned.Equal(planned) })
	if n < 0 {
		return
	}
	o := &r.Uncounted[n]
	if detail != "" {
		if o.Detail == "" {
			r.record(now, timeline.RoutineUncounted, timeline.Muster(), at("planned", planned), timeline.F("detail", detail))
		}
		o.Under, o.Detail, o.Next = false, detail, soon(now, o.Ended)
		return
	}
	bought := ""
	if v.Bought > 0 {
		bought = strconv.Itoa(v.Bought)
	}
	r.record(now, timeline.RoutineCounted, timeline.Muster(), at("planned", planned), timeline.F("number", strconv.Itoa(v.Number)),
		timeline.F("bought", bought), timeline.F("year", strconv.Itoa(v.Year)), timeline.F("beyond", marked(v.Beyond())))
	if v.Beyond() {
		o.Detail = ""
		r.tell(Telling{About: OneTooMany, Occurrence: *o, Visit: v})
	}
	r.Uncounted = slices.Delete(r.Uncounted, n, n+1)
}
