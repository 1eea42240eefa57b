package ingest

import (
	"cmp"
	"fmt"
	"net/url"
	"strings"
	"time"

	"muster/internal/alert"
)

// The kinds of events of AWS Health, after
// https://docs.aws.amazon.com/health/latest/ug/aws-health-events-eventbridge-schema.html.
const (
	healthEvent = "AWS Health Event"
	abuseEvent  = "AWS Health Abuse Event"

	scheduledChange     = "scheduledChange" // the end of something that is used, too: a planned lifecycle event
	accountNotification = "accountNotification"
)

// awsHealth is what AWS Health says.
type awsHealth struct {
	arn, service, code, category, scope, status, region, account string
	begins, ends, page                                           string
	text                                                         string // the first of its languages
	entities                                                     []string
}

const shownEntities = 20

// healthDetail takes one member of the detail of an event of AWS Health. Those of an alarm have other names.
func (d *decoder) healthDetail(where, name string, h *awsHealth) {
	field := where + "detail." + name
	switch name {
	case "eventArn":
		h.arn = d.str(field)
	case "service":
		h.service = d.str(field)
	case "eventTypeCode":
		h.code = d.str(field)
	case "eventTypeCategory":
		h.category = d.str(field)
	case "eventScopeCode":
		h.scope = d.str(field)
	case "statusCode":
		h.status = d.str(field)
	case "eventRegion":
		h.region = d.str(field)
	case "affectedAccount":
		h.account = d.str(field)
	case "startTime":
		h.begins = d.str(field)
	case "endTime":
		h.ends = d.str(field)
	case "page":
		h.page = d.str(field)
	case "eventDescription":
		d.list(field, func(field string) {
			d.each(field, func(name string) {
				if name == "latestDescription" && h.text == "" {
					h.text = clip(d.str(field+"."+name), 4*maxValue)
				} else {
					d.skip()
				}
			})
		})
	case "affectedEntities":
		d.list(field, func(field string) {
			d.each(field, func(name string) {
				if name == "entityValue" && len(h.entities) < shownEntities {
					h.entities = append(h.entities, clip(d.str(field+"."+name), maxName))
				} else {
					d.skip()
				}
			})
		})
	default:
		d.skip()
	}
}

// message is what an event of AWS Health says: a change that is scheduled is announced, a notification is noted, and what is wrong is an
// alert until its status is closed. An account is told of an event under the same ARN as others.
func (h *awsHealth) message(d *decoder, where, kind, account string, at time.Time) (m message) {
	if h.arn == "" || h.code == "" {
		d.fault(where+"detail.eventArn", "want the ARN and the eventTypeCode of an event of AWS Health")
		return m
	}
	account = cmp.Or(h.account, account)
	s := sized{Alert: alert.Alert{
		Fingerprint: short(h.arn + " " + account), State: alert.Firing, StartsAt: at, Generator: h.link(),
		Labels: ordered(alert.Labels{
			{Name: nameLabel, Value: h.code},
			{Name: "account", Value: account},
			{Name: "region", Value: h.region},
			{Name: "service", Value: h.service},
			{Name: "category", Value: h.category},
			{Name: "scope", Value: h.scope},
			{Name: "detail_type", Value: kind},
		}),
		Annotations: ordered(alert.Labels{
			{Name: "summary", Value: h.title()},
			{Name: "communication", Value: strings.Join(strings.Fields(strings.ReplaceAll(h.text, `\n`, " ")), " ")}, // it comes escaped twice
			{Name: "stage", Value: h.status},
			{Name: "begins", Value: h.begins},
			{Name: "ends", Value: h.ends},
			{Name: "entities", Value: strings.Join(h.entities, ", ")},
		}),
	}}
	if begins := instantOf(h.begins); h.category != scheduledChange && !begins.IsZero() {
		s.StartsAt = begins
	}
	if h.status == "closed" {
		s.State, s.EndsAt = alert.Resolved, at
	}
	s.Name = alertName(s.Labels, s.Fingerprint)
	s.bound()
	m.by = []string{"account", nameLabel, "region"}
	switch {
	case kind == abuseEvent:
		m.alerts = []sized{s}
	case h.category == scheduledChange && (h.page == "" || h.page == "1"): // of many resources the others come on further pages
		n := noticeOf(s)
		n.Reference = h.arn
		m.announced = []announced{{n, s}}
	case h.category == scheduledChange, h.category == accountNotification:
		m.notices = []alert.Alert{s.Alert}
	default:
		m.alerts = []sized{s}
	}
	return m
}

// title is the code in words: "EC2: instance retirement scheduled".
func (h *awsHealth) title() string {
	words := strings.TrimPrefix(strings.TrimPrefix(h.code, "AWS_"), strings.ToUpper(h.service)+"_")
	return h.service + ": " + strings.ToLower(strings.ReplaceAll(words, "_", " "))
}

func (h *awsHealth) link() string {
	if !strings.HasPrefix(h.arn, "arn:aws:health:") {
		return ""
	}
	return fmt.Sprintf("https://health.aws.amazon.com/health/home#/account/event-log?eventID=%s", url.QueryEscape(h.arn))
}

// noticeOf is what an alert announces.
func noticeOf(s sized) alert.Notice {
	n := alert.Notice{
		ID: s.Fingerprint, Labels: s.Labels, Title: s.Annotations.Value("summary"), Text: s.Annotations.Value("communication"), Link: s.Generator,
		Stage: s.Annotations.Value("stage"), Over: s.State == alert.Resolved,
		Begins: instantOf(s.Annotations.Value("begins")), Ends: instantOf(s.Annotations.Value("ends")),
	}
	if which := s.Annotations.Value("entities"); which != "" {
		n.Text = strings.TrimSpace(n.Text + " [" + which + "]")
	}
	if begins := s.Annotations.Value("begins"); begins != "" && n.Begins.IsZero() {
		n.Text = strings.TrimSpace(n.Text + " [" + begins + "]") // nobody knows until when there is time, but whoever reads it
	}
	return n
}

// instantOf reads an instant as clouds write it. One that nobody can read is none: what is announced counts all the same.
func instantOf(s string) time.Time {
	for _, form := range []string{time.RFC3339, "Mon, 2 Jan 2006 15:04:05 MST", "2006-01-02T15:04:05.999999999-0700"} {
		if t, err := time.Parse(form, s); err == nil && t.Year() >= 1970 && t.Year() <= 9999 {
			return t.UTC()
		}
	}
	return time.Time{}
}
