package org

import (
	"slices"
	"time"

	"muster/internal/calendar"
)

// The public holidays of South Korea are ours, for no library is right about them since 2026. They rest on
//
//   - the Act: 공휴일에 관한 법률, articles 2 (holidays) and 3 (substitute days);
//   - the Decree: 관공서의 공휴일에 관한 규정, articles 2 (holidays) and 3 (substitute days), which the Act refers to.
//
// The sun and moon decide the dates of 설날, 부처님오신날 and 추석; each June the 월력요항 announces those of the next year.

// substitute says when a holiday is made up for, on the next day that is neither a holiday nor at a weekend (Decree,
// article 3).
type substitute int

const (
	never     substitute = iota
	onSunday             // falls on a Sunday or on another holiday
	onWeekend            // falls on a Saturday, a Sunday or on another holiday
)

// koreanHoliday comes round every year.
type koreanHoliday struct {
	month time.Month
	day   int
	since int // the first year; 0: before the table
	made  substitute
}

func koreanHolidays() []koreanHoliday {
	return []koreanHoliday{
		{time.January, 1, 0, never},       // 1월 1일: Decree, article 2 no. 3
		{time.March, 1, 0, onWeekend},     // 3·1절: Decree, article 2 no. 2, a national day
		{time.May, 1, 2026, onWeekend},    // 노동절: Act, article 2, as amended in April 2026
		{time.May, 5, 0, onWeekend},       // 어린이날: Decree, article 2 no. 7
		{time.June, 6, 0, never},          // 현충일: Decree, article 2 no. 8
		{time.July, 17, 2026, onWeekend},  // 제헌절: Act, article 2, as amended on 10 February 2026, in force since 11 May 2026
		{time.August, 15, 0, onWeekend},   // 광복절: Decree, article 2 no. 2, a national day
		{time.October, 3, 0, onWeekend},   // 개천절: Decree, article 2 no. 2, a national day
		{time.October, 9, 0, onWeekend},   // 한글날: Decree, article 2 no. 2, a national day
		{time.December, 25, 0, onWeekend}, // 기독탄신일: Decree, article 2 no. 10; made up for since May 2023
	}
}

// koreanMoon has the dates of 설날 (Decree, article 2 no. 4), 부처님오신날 (no. 6; made up for since May 2023) and 추석
// (no. 9) in the solar calendar. 설날 and 추석 are holidays together with the days before and after.
func koreanMoon() [][3]string {
	return [][3]string{
		{"2024-02-10", "2024-05-15", "2024-09-17"},
		{"2025-01-29", "2025-05-05", "2025-10-06"},
		{"2026-02-17", "2026-05-24", "2026-09-25"},
		{"2027-02-07", "2027-05-13", "2027-09-15"},
		{"2028-01-27", "2028-05-02", "2028-10-03"},
		{"2029-02-13", "2029-05-20", "2029-09-22"},
		{"2030-02-03", "2030-05-09", "2030-09-12"},
		{"2031-01-23", "2031-05-28", "2031-10-01"},
		{"2032-02-11", "2032-05-16", "2032-09-19"},
		{"2033-01-31", "2033-05-06", "2033-09-08"},
		{"2034-02-19", "2034-05-25", "2034-09-27"},
		{"2035-02-08", "2035-05-15", "2035-09-16"},
	}
}

// koreanOnce has days that were holidays once.
func koreanOnce() []string {
	return []string{
		"2024-04-10", // election of the National Assembly at the end of its term: Decree, article 2 no. 10-2
		"2024-10-01", // 국군의 날: designated by the government, Decree, article 2 no. 11
		"2025-01-27", // the day before 설날's holidays: designated by the government, Decree, article 2 no. 11
		"2025-06-03", // election of the President before the end of a term: designated by the government, Decree, article 2 no. 11
		"2026-06-03", // local elections at the end of a term: Decree, article 2 no. 10-2
	}
}

// korea returns the public holidays of the table's years. Where a substitute day falls depends on all of the others.
func korea() []calendar.Date {
	made := map[calendar.Date][]substitute{}
	add := func(d calendar.Date, s substitute) { made[d] = append(made[d], s) }
	for year := firstYear; year <= lastYear; year++ {
		for _, h := range koreanHolidays() {
			if year >= h.since {
				add(calendar.DateOf(time.Date(year, h.month, h.day, 0, 0, 0, 0, time.UTC)), h.made)
			}
		}
	}
	for _, year := range koreanMoon() {
		seollal, buddha, chuseok := day(year[0]), day(year[1]), day(year[2])
		add(buddha, onWeekend)
		for n := calendar.Date(-1); n <= 1; n++ {
			add(seollal+n, onSunday)
			add(chuseok+n, onSunday)
		}
	}
	for _, d := range koreanOnce() {
		add(day(d), never)
	}
	return withSubstitutes(made)
}

func withSubstitutes(made map[calendar.Date][]substitute) []calendar.Date {
	var all []calendar.Date
	for d := range made {
		all = append(all, d)
	}
	slices.Sort(all)
	for _, d := range slices.Clone(all) {
		weekday, rule := d.Weekday(), slices.Max(made[d])
		if rule == never || len(made[d]) == 1 && weekday != time.Sunday && (weekday != time.Saturday || rule != onWeekend) {
			continue
		}
		free := d + 1
		for free.Weekday() == time.Saturday || free.Weekday() == time.Sunday || slices.Contains(all, free) {
			free++
		}
		all = append(all, free)
	}
	slices.Sort(all)
	return all
}

// day reads a date of a table in this package.
func day(s string) calendar.Date {
	d, err := calendar.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}
