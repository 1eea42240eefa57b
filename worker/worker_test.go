package worker_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/client"

	"muster/activities"
	"muster/internal/delivery"
	"muster/internal/org"
	"muster/internal/pagerduty"
	"muster/internal/runbook"
	"muster/internal/smtp"
	"muster/internal/ticket"
	"muster/internal/twilio"
	"muster/worker"
)

// fill makes the activities of the example organisation, with lines added to its settings and others replaced.
func fill(t *testing.T, added string, replaced ...string) (worker.Activities, string, error) {
	t.Helper()
	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS("../examples/org")); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(folder, "organisation.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	settings := strings.NewReplacer(replaced...).Replace(string(text)) + added
	if err := os.WriteFile(file, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	live, err := org.Open(folder)
	if err != nil {
		t.Fatal(err)
	}
	data := t.TempDir()
	effects, err := worker.NewActivities(worker.Options{Organisation: live, Data: data, Out: io.Discard})
	return effects, data, err
}

// TestRegistration panics should two activities have one name.
func TestRegistration(t *testing.T) {
	effects, _, err := fill(t, "")
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.NewLazyClient(client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	worker.New(c, effects, worker.Deployment{Name: "muster", BuildID: "v1"})
}

// TestEveryChannel has an adapter for each type of contact method.
func TestEveryChannel(t *testing.T) {
	effects, _, err := fill(t, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range delivery.ContactTypes() {
		if effects.Deliveries.Senders[kind] == nil {
			t.Errorf("no adapter for %s", kind)
		}
	}
}

func TestChannelsThatRing(t *testing.T) {
	t.Setenv("WORKER_TEST_TOKEN", "s3cret")
	const account = "AC0123456789abcdef0123456789abcdef"
	const settings = "channels:\n  pagerduty: {url: https://events.eu.pagerduty.com}\n  twilio: {account: " + account + ", token: env:WORKER_TEST_TOKEN, from: Mirnet, voice_from: +15005550006"
	for name, tt := range map[string]struct {
		more, key, public string
	}{
		"as the account":               {"", "", "https://muster.example"},
		"by a key":                     {", key: SK0123456789abcdef", "SK0123456789abcdef", ""},
		"by a key, and proven as such": {", key: SK0123456789abcdef, auth_token: env:WORKER_TEST_TOKEN", "SK0123456789abcdef", "https://muster.example"},
	} {
		effects, _, err := fill(t, "public_url: https://muster.example\n"+settings+tt.more+"}\n")
		if err != nil {
			t.Fatal(err)
		}
		a := &twilio.Account{
			Timeout: 10 * time.Second, Settle: 2 * time.Second, URL: "https://api.twilio.com", ID: account, Key: tt.key, Token: "s3cret",
		}
		for kind, want := range map[delivery.ContactType]activities.Sender{
			delivery.SMS:       &twilio.SMS{Account: a, From: "Mirnet"},
			delivery.Voice:     &twilio.Voice{Account: a, From: "+15005550006", PublicURL: tt.public},
			delivery.PagerDuty: &pagerduty.Sender{Timeout: 5 * time.Second, URL: "https://events.eu.pagerduty.com", PublicURL: "https://muster.example"},
		} {
			if got := effects.Deliveries.Senders[kind]; !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %s: got %+v, want %+v", name, kind, got, want)
			}
		}
		for kind, s := range effects.FollowUps.Senders {
			if _, ok := s.(activities.Follower); ok != kind.Follows() {
				t.Errorf("%s: it can be told what has become of a page: %v, and its type says %v", kind, ok, kind.Follows())
			}
		}
	}
}

func TestMail(t *testing.T) {
	t.Setenv("WORKER_TEST_PASSWORD", "s3cret")
	const server = "mail:\n  host: mail.example\n  from: noc@mirnet.example\n"
	for name, tt := range map[string]struct {
		settings string
		want     *smtp.Sender
		fault    string
	}{
		"none":  {"", &smtp.Sender{Timeout: 10 * time.Second}, ""},
		"plain": {server, &smtp.Sender{Host: "mail.example", From: "noc@mirnet.example", Security: smtp.STARTTLS, Timeout: 10 * time.Second}, ""},
		"with a user": {
			server + "  port: 465\n  security: tls\n  user: noc\n  password: env:WORKER_TEST_PASSWORD\n", &smtp.Sender{
				Host: "mail.example", Port: 465, From: "noc@mirnet.example", Security: smtp.TLS, User: "noc", Password: "s3cret",
				Timeout: 10 * time.Second,
			}, "",
		},
		"without its password": {
			server + "  user: noc\n  password: env:WORKER_TEST_NOTHING\n", nil,
			"mail server: mail: password env:WORKER_TEST_NOTHING: not set in the environment of this process",
		},
	} {
		t.Run(name, func(t *testing.T) {
			effects, _, err := fill(t, tt.settings)
			if tt.fault != "" {
				if err == nil || err.Error() != tt.fault {
					t.Errorf("got %v, want %s", err, tt.fault)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := effects.Deliveries.Senders[delivery.Email]; !reflect.DeepEqual(got, activities.Sender(tt.want)) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

// TestMessagesCarryWhatIsOnTheShelf reads reports where they are put, and says so to programs of this machine.
func TestMessagesCarryWhatIsOnTheShelf(t *testing.T) {
	effects, data, err := fill(t, "")
	if err != nil {
		t.Fatal(err)
	}
	at, err := effects.Reports.Shelf.Put(t.Context(), "INC-1/report.md", []byte("# Slow"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := effects.Deliveries.Reports.Get(t.Context(), "INC-1/report.md"); err != nil || string(got) != "# Slow" {
		t.Errorf("got %q, %v; want what was put", got, err)
	}
	if err := effects.Deliveries.Senders[delivery.File].Send(t.Context(), delivery.Envelope{
		Contact:  delivery.Contact{Address: "park.jsonl"},
		Attached: []delivery.Attached{{Attachment: delivery.Attachment{Path: "INC-1/report.md"}}},
	}); err != nil {
		t.Fatal(err)
	}
	line, err := os.ReadFile(filepath.Join(data, "deliveries", "park.jsonl"))
	if err != nil || !strings.Contains(string(line), fmt.Sprintf(`"path":%q`, at)) {
		t.Errorf("got %s, %v; want the path %s", line, err, at)
	}
}

// TestTicketsInTheDataFolder opens tickets as files, unless the organisation says otherwise.
func TestTicketsInTheDataFolder(t *testing.T) {
	effects, data, err := fill(t, "")
	if err != nil {
		t.Fatal(err)
	}
	ref, err := effects.Tickets.System.Open(t.Context(), ticket.Ticket{Key: "incident/1", Revision: 1, Title: "shop is down"})
	if err != nil || ref.ID != "T-000001" {
		t.Errorf("got %v, %v; want T-000001", ref, err)
	}
	if files, err := filepath.Glob(filepath.Join(data, "tickets", "*.json")); err != nil || len(files) != 1 {
		t.Errorf("got files %v, %v; want one", files, err)
	}
}

// TestTicketsByWebhook opens tickets where the organisation says, if that may be reached.
func TestTicketsByWebhook(t *testing.T) {
	signed := ""
	desk := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		signed = r.Header.Get("webhook-signature")
		_, _ = io.WriteString(w, `{"id":"DESK-7"}`)
	}))
	defer desk.Close()
	t.Setenv("WORKER_TEST_URL", desk.URL)
	t.Setenv("WORKER_TEST_SECRET", "whsec_c2VjcmV0")
	webhook := []string{"system: local", "system: webhook\n  url: env:WORKER_TEST_URL\n  secret: env:WORKER_TEST_SECRET"}
	const allowed = "own_networks: [127.0.0.1/32]\n"
	asked := ticket.Ticket{Key: "incident/1", Revision: 1, Title: "shop is down"}

	effects, _, err := fill(t, allowed, webhook...)
	if err != nil {
		t.Fatal(err)
	}
	if ref, err := effects.Tickets.System.Open(t.Context(), asked); err != nil || ref.ID != "DESK-7" || signed == "" {
		t.Errorf("got %v, %v, signed %q; want DESK-7, signed", ref, err, signed)
	}

	effects, _, err = fill(t, "", webhook...)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := effects.Tickets.System.Open(t.Context(), asked); !delivery.IsRefusal(err) {
		t.Errorf("a network that is not the organisation's own: got %v, want a refusal", err)
	}

	t.Setenv("WORKER_TEST_SECRET", "")
	if _, _, err = fill(t, allowed, webhook...); err == nil || !strings.HasPrefix(err.Error(), "ticket system: tickets: secret env:WORKER_TEST_SECRET: ") {
		t.Errorf("without its secret: got %v", err)
	}
}

// TestStepsRunAsTheFolderAllows asks the folder at every step.
func TestStepsRunAsTheFolderAllows(t *testing.T) {
	effects, _, err := fill(t, "", "/usr/local/bin/kubectl,", "/bin/echo, /usr/local/bin/kubectl,")
	if err != nil {
		t.Fatal(err)
	}
	step := &runbook.Automatic{Runner: runbook.ByCommand, Command: []string{"/bin/echo", "hello"}, Timeout: time.Minute, Output: 100}
	if got := effects.Runbooks.Runner.Run(t.Context(), step); got.State != runbook.Passed || got.Output != "hello\n" {
		t.Errorf("got %+v", got)
	}
	step.Command[0] = "/bin/ls"
	if got := effects.Runbooks.Runner.Run(t.Context(), step); got.State != runbook.Failed || !strings.Contains(got.Detail, "not allowed") {
		t.Errorf("got %+v", got)
	}
}
