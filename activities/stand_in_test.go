package activities_test

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"muster/activities"
	"muster/internal/delivery"
	"muster/internal/escalation"
	"muster/internal/incident"
)

var at = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// perform runs one attempt of an activity as a worker does.
func perform[T any](t *testing.T, activity, input any) (T, error) {
	t.Helper()
	var (
		suite testsuite.WorkflowTestSuite
		out   T
	)
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestActivityEnvironment()
	env.RegisterActivity(activity)
	v, err := env.ExecuteActivity(activity, input)
	if err != nil {
		return out, err
	}
	if v.HasValue() {
		err = v.Get(&out)
	}
	return out, err
}

// final tells whether Temporal would make no further attempt.
func final(err error) bool {
	app, ok := errors.AsType[*temporal.ApplicationError](err)
	return ok && app.NonRetryable()
}

// directory knows kim and park by phone, and nobody who is called ghost.
type directory struct{ older bool }

func (directory) Folder() incident.Folder { return incident.Folder{Revision: "r2", Changed: at} }

func (d directory) Older(string, time.Time) bool { return d.older }

// Own people are all but yoon, who is a partner's.
func (directory) Own(recipient string) bool { return recipient != "yoon" }

func (directory) Recipients(t escalation.Target, when time.Time) ([]delivery.Recipient, error) {
	switch t.ID {
	case "ghost":
		return nil, fmt.Errorf("person %q: not found", t.ID)
	case "gap":
		return nil, nil
	case "night": // whoever is on call at that moment
		return []delivery.Recipient{reader(map[bool]string{true: "kim", false: "park"}[when.Equal(at)])}, nil
	}
	return []delivery.Recipient{reader(t.ID)}, nil
}

// Whoever is called sleeper is held back from pages of a step.
func (directory) Reach(to delivery.Recipient, t incident.Telling, when time.Time) (delivery.Recipient, string) {
	if to.ID == "sleeper" && t.Kind == delivery.Page && t.Step > 0 && when.Equal(at) {
		to.Methods = nil
		return to, incident.HeldByQuietHours
	}
	return to, ""
}

// Engineers knows one for the customer acme, and a pool.
func (directory) Engineers(customer string, _ time.Time) ([][]delivery.Recipient, error) {
	if customer == "ghost" {
		return nil, fmt.Errorf("customer %q: not found", customer)
	}
	return [][]delivery.Recipient{{reader("sleeper")}, {reader("lee")}, {reader("kim"), reader("park")}}, nil
}

func (directory) CustomerContacts(c string) ([]delivery.Recipient, error) {
	if c == "ghost" {
		return nil, fmt.Errorf("customer %q: not found", c)
	}
	return []delivery.Recipient{reader(c + "/desk"), reader(c + "/boss")}, nil
}

func (directory) Contact(_, method string) (delivery.Contact, error) {
	switch method {
	case "lost":
		return delivery.Contact{}, errors.New("secret SMS_TOKEN: not set")
	case "fax":
		return delivery.Contact{Method: method, Type: "fax"}, nil
	}
	return delivery.Contact{Method: method, Type: delivery.Webhook}, nil
}

func reader(id string) delivery.Recipient {
	return delivery.Recipient{ID: id, Name: id, Language: "en", Methods: []string{"phone"}, Shared: strings.HasPrefix(id, "room")}
}

// writer cannot write to anybody who is called mute.
type writer struct{}

func (writer) Message(t incident.Telling, to delivery.Recipient) (delivery.Message, error) {
	m := delivery.Message{Kind: t.Kind, Language: to.Language, Subject: string(t.Facts.ID)}
	if to.ID == "mute" || t.Facts.ID == "INC-MUTE" {
		return m, errors.New("text is broken")
	}
	m.Text = t.Text
	return m, nil
}

// noting keeps what it is to write.
type noting struct{ told *[]incident.Telling }

func (n noting) Message(t incident.Telling, _ delivery.Recipient) (delivery.Message, error) {
	*n.told = append(*n.told, t)
	return delivery.Message{Kind: t.Kind}, nil
}

func open() activities.Directory { return directory{} }
