package org

import (
	"fmt"
	"maps"
	"net/mail"
	"net/netip"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"muster/internal/alert"
	"muster/internal/authority"
	"muster/internal/delivery"
	"muster/internal/priority"
	"muster/internal/retention"
	"muster/internal/supportplan"
)

// A form is how one kind of value is written.
type form[T any] struct {
	want   string // what would be right, after the word "want"
	read   func(string) (T, bool)
	secret bool   // a wrong value may be a secret, so it is not shown
	all    []T    // of a form that has only a few values
	is     Schema // what a schema says beside want; any text, number or truth value when it is nil
}

// schema describes the form for editors.
func (f form[T]) schema() Schema {
	s := maps.Clone(f.is)
	if s == nil {
		s = Schema{"type": []string{"string", "number", "boolean"}}
	}
	s["description"] = f.want
	return s
}

// The forms of all values.
var (
	aWord       = in("a word", aLine)
	aLogin      = in("what a sign-in provider calls somebody, such as park@example.com, of at most 200 characters", aLine)
	aPhone      = in("a phone number, such as +82 2 555 0100 or 1588-0000", matches(`^\+?[0-9][0-9 ().-]{1,30}[0-9]( ext\.? [0-9]{1,8})?$`))
	aGroup      = in("what a sign-in provider calls a group, of at most 200 characters", aLine)
	aName       = in("a name on one line, of at most 200 characters", aLine)
	anID        = in("lower-case letters, digits and hyphens, at most 63, such as web-1", matches(`^[a-z0-9][a-z0-9-]{0,62}$`))
	aHost       = in("the name of a host, such as mail.example.com", matches(`^[A-Za-z0-9][A-Za-z0-9.:-]{0,252}$`))
	aFileName   = in("the plain name of a file, such as park.jsonl", plainFile)
	aSender     = in("a mail address, such as Muster <muster@example.com>", senderAddress)
	aMailbox    = in("a mail address, such as muster-alerts@example.com", mailAddress)
	aMailAuthor = in("a mail address, such as nagios@example.com, or all of a domain, such as @example.com", func(s string) (string, bool) {
		one := s
		if strings.HasPrefix(one, "@") {
			one = "all" + one
		}
		_, ok := mailAddress(one)
		return s, ok
	})
	aPattern = in("a regular expression in the syntax of RE2, of at most 500 characters", func(s string) (string, bool) {
		const most = 500
		_, err := regexp.Compile(s)
		return s, err == nil && len(s) <= most
	})
	aMail       = in("a mail address, such as park@example.com, or a reference to one", mailAddress)
	anIssuer    = in("a URL that begins with https://, without ? and #, such as https://login.example.com", issuer)
	aURL        = in("a URL that begins with https:// or http://", webURL)
	aHook       = form[string]{want: "a URL that begins with https:// or http://, or a reference to one, such as env:PARK_URL", read: webURL, secret: true}
	aRef        = form[ref]{want: "a reference to a secret, env:NAME or file:PATH: the secret itself never stands in this folder", read: parseRef, secret: true}
	aHeader     = in("the name of an HTTP header, such as X-Signature", matches(`^[A-Za-z0-9][A-Za-z0-9-]{0,99}$`))
	aTopic      = in("the ARN of a topic, such as arn:aws:sns:eu-west-1:123456789012:alarms", matches(`^arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_.-]{1,256}$`))
	aLabelValue = in("the value of a label, of at most 1000 characters", func(s string) (string, bool) {
		return s, utf8.RuneCountInString(s) <= 1000
	})

	aLanguage    = oneOf("en", "ko")
	aSecurity    = oneOf("starttls", "tls", "none")
	aSourceType  = oneOf(alert.Formats()...)
	aCarried     = oneOf(alert.Alertmanager, alert.Prometheus, alert.Grafana, alert.Azure, alert.EventBridge)
	aContactType = oneOf(delivery.ContactTypes()...)
	aLevel       = oneOf(priority.High, priority.Medium, priority.Low)
	aPartyKind   = oneOf(authority.Partner, authority.Vendor)
	aRole        = oneOf(authority.Roles()...)
	aLoginClaim  = oneOf("email", "sub", "preferred_username")
	anAuthor     = oneOf(supportplan.ByEngine, supportplan.ByPerson)

	aBool = form[bool]{
		want: "true or false", read: func(s string) (bool, bool) { return s == "true", s == "true" || s == "false" }, is: Schema{"type": "boolean"},
	}
	aNumber     = whole("a whole number", 0, 1000)
	aPercentage = whole("a percentage", 1, 99)
	aPort       = whole("a port", 1, 65535)

	aZone     = in("an IANA time zone, such as Asia/Seoul", zone)
	aTerm     = in("years or days that records stay, such as 5y or 400d: from 90d to 100y", retention.ParseTerm)
	aDuration = in("a time such as "+durations, duration)
	aWait     = in("a time of more than 0s, such as "+durations, func(s string) (time.Duration, bool) {
		d, ok := duration(s)
		return d, ok && d > 0
	})
	aPriority = in("P1, P2, P3, P4 or P5", by(priority.Parse))
	aNetwork  = in("a network, such as 10.20.0.0/16 or 127.0.0.1/32", func(s string) (netip.Prefix, bool) {
		p, err := netip.ParsePrefix(s)
		return p, err == nil && p == p.Masked()
	})
)

const durations = "90s, 15m, 1h30m or 2d, where a day is 24 hours, at most 366d"

// anIDOf is the form of the ID of a thing that is defined elsewhere.
func anIDOf(what string) form[string] {
	article := "a"
	if strings.ContainsRune("aeiou", rune(what[0])) {
		article = "an"
	}
	return in("the ID of "+article+" "+what, aLine)
}

func in[T any](want string, read func(string) (T, bool)) form[T] {
	return form[T]{want: want, read: read}
}

// by reads what a parser reads.
func by[T any](parse func(string) (T, error)) func(string) (T, bool) {
	return func(s string) (T, bool) {
		v, err := parse(s)
		return v, err == nil
	}
}

// whole is the form of a whole number.
func whole(what string, least, most int) form[int] {
	return form[int]{
		want: fmt.Sprintf("%s from %d to %d", what, least, most), read: between(least, most),
		is: Schema{"type": "integer", "minimum": least, "maximum": most},
	}
}

func between(least, most int) func(string) (int, bool) {
	return func(s string) (int, bool) {
		n, ok := number(s)
		return n, ok && least <= n && n <= most
	}
}

func oneOf[T ~string](all ...T) form[T] {
	want := string(all[0])
	for n, s := range all[1:] {
		if n == len(all)-2 {
			want += " or " + string(s)
		} else {
			want += ", " + string(s)
		}
	}
	return form[T]{
		want: want, read: func(s string) (T, bool) { return T(s), slices.Contains(all, T(s)) }, all: all, is: Schema{"enum": all},
	}
}

func matches(pattern string) func(string) (string, bool) {
	re := regexp.MustCompile(pattern)
	return func(s string) (string, bool) { return s, re.MatchString(s) }
}

func aLine(s string) (string, bool) {
	return s, s != "" && s == strings.TrimSpace(s) && utf8.RuneCountInString(s) <= 200 && !strings.ContainsFunc(s, unprintable)
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }

func plainFile(s string) (string, bool) {
	return s, s != "." && s == filepath.Base(s) && filepath.IsLocal(s) && !strings.HasPrefix(s, "file:") && !strings.HasPrefix(s, "env:")
}

func senderAddress(s string) (string, bool) {
	_, err := mail.ParseAddress(s)
	return s, err == nil
}

func mailAddress(s string) (string, bool) {
	a, err := mail.ParseAddress(s)
	return s, err == nil && a.Address == s
}

func webURL(s string) (string, bool) {
	u, err := url.Parse(s)
	return s, err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil
}

func issuer(s string) (string, bool) {
	_, ok := webURL(s)
	return s, ok && strings.HasPrefix(s, "https://") && !strings.ContainsAny(s, "?#")
}

func number(s string) (int, bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil && strconv.Itoa(n) == s // no 010, no +1
}

func zone(s string) (*time.Location, bool) {
	if s == "" || s == "Local" {
		return nil, false
	}
	z, err := time.LoadLocation(s)
	return z, err == nil
}

var durationParts = regexp.MustCompile(`^(?:(\d{1,3})d)?(?:(\d{1,4})h)?(?:(\d{1,6})m)?(?:(\d{1,8})s)?$`)

// duration reads days, hours, minutes and seconds, each once and in this order.
func duration(s string) (time.Duration, bool) {
	parts := durationParts.FindStringSubmatch(s)
	if s == "" || parts == nil {
		return 0, false
	}
	var d time.Duration
	for n, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second} {
		v, _ := strconv.Atoi(parts[n+1]) // nothing is nought
		d += time.Duration(v) * unit
	}
	return d, d <= 366*24*time.Hour
}
