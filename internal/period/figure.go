package period

import (
	"math"
	"slices"
	"time"
)

// A Unit says what the value of a figure is.
type Unit string

// The units. These strings stand in reports: add, never rename.
const (
	Count   Unit = "count"
	Percent Unit = "percent"
	Seconds Unit = "seconds"
	Score   Unit = "score" // 1 to 5
)

// A Figure is one number of a period, with the bundles that it was counted from.
type Figure struct {
	Key     string   `json:"key"`
	Of      string   `json:"of,omitempty"` // what it is counted for: a priority, a target, a person
	Unit    Unit     `json:"unit"`
	Value   *float64 `json:"value"`   // nil: there is nothing to count it from
	Bundles []string `json:"bundles"` // their files, in order
}

// Same tells whether two figures are counted for the same thing.
func (f *Figure) Same(o *Figure) bool { return f.Key == o.Key && f.Of == o.Of }

// A tally counts one thing, and keeps what it was counted from.
type tally struct {
	n     int
	times []time.Duration
	files []string
}

// see keeps what something was looked up in, whether or not it counts.
func (t *tally) see(files ...string) {
	for _, f := range files {
		if n, known := slices.BinarySearch(t.files, f); !known {
			t.files = slices.Insert(t.files, n, f)
		}
	}
}

func (t *tally) add(n int, files ...string) {
	if n != 0 {
		t.n += n
		t.see(files...)
	}
}

func (t *tally) took(d time.Duration, files ...string) {
	t.times = append(t.times, d)
	t.see(files...)
}

// tallies are tallies of one thing by what it is counted for.
type tallies map[string]*tally

func (t tallies) of(what string) *tally {
	if t[what] == nil {
		t[what] = &tally{}
	}
	return t[what]
}

func (t tallies) keys() []string {
	var all []string
	for k := range t {
		all = append(all, k)
	}
	slices.Sort(all)
	return all
}

// percentile is the smallest of some durations that at least p hundredths of them do not exceed: none is made up between two.
func percentile(times []time.Duration, p int) time.Duration {
	sorted := slices.Sorted(slices.Values(times))
	return sorted[max((len(sorted)*p+99)/100, 1)-1]
}

func mean(times []time.Duration) time.Duration {
	var sum time.Duration
	for _, d := range times {
		sum += d
	}
	return sum / time.Duration(len(times))
}

// seconds is a duration in whole seconds, rounded down.
func seconds(d time.Duration) *float64 {
	v := math.Floor(d.Seconds())
	return &v
}

// share is how much of a whole a part is in hundredths, with so many decimals, nil of nothing. It is rounded down: no promise
// is kept by rounding.
func share(part, whole int64, decimals int) *float64 {
	if whole == 0 {
		return nil
	}
	scale := int64(math.Pow10(decimals))
	v := float64(mulDiv(part, 100*scale, whole)) / float64(scale)
	return &v
}

// mulDiv is a * b / c, rounded down, for parts of a whole in seconds.
func mulDiv(a, b, c int64) int64 { return a/c*b + a%c*b/c }

func whole(n int) *float64 {
	v := float64(n)
	return &v
}

func (f *Facts) put(key, of string, u Unit, value *float64, files []string) {
	if files == nil {
		files = []string{}
	}
	f.Figures = append(f.Figures, Figure{Key: key, Of: of, Unit: u, Value: value, Bundles: files})
}

func (f *Facts) count(key, of string, t *tally) { f.put(key, of, Count, whole(t.n), t.files) }

// counts puts a figure for each of some things, whether or not there was one.
func (f *Facts) counts(key string, t tallies, all ...string) {
	for _, of := range all {
		f.count(key, of, t.of(of))
	}
}

// share puts which part of both tallies the first one is.
func (f *Facts) share(key, of string, part, rest *tally) {
	var both tally
	both.see(part.files...)
	both.see(rest.files...)
	f.put(key, of, Percent, share(int64(part.n), int64(part.n+rest.n), 2), both.files)
}

// mean puts the mean of what was taken.
func (f *Facts) mean(key string, t *tally) {
	var v *float64
	if len(t.times) > 0 {
		v = seconds(mean(t.times))
	}
	f.put(key, "", Seconds, v, t.files)
}

// Figure returns a figure, and whether there is one.
func (f *Facts) Figure(key, of string) (Figure, bool) {
	n := slices.IndexFunc(f.Figures, func(x Figure) bool { return x.Key == key && x.Of == of })
	if n < 0 {
		return Figure{}, false
	}
	return f.Figures[n], true
}

// Sum adds up the values of all figures of a key.
func (f *Facts) Sum(key string) (sum float64) {
	for _, x := range f.Figures {
		if x.Key == key && x.Value != nil {
			sum += *x.Value
		}
	}
	return sum
}
