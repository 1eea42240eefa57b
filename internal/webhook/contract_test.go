package webhook_test

import (
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"muster/internal/contract"
	"muster/internal/delivery"
	"muster/internal/outbound"
	"muster/internal/webhook"
)

// An inbox shows each delivery once, as one that follows Standard Webhooks does.
type inbox struct {
	mu    sync.Mutex
	known []string
	shown []string
}

func (r *inbox) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	body, err := contract.Decode(req.Body)
	if err != nil || req.Header.Get("Webhook-Signature") == "" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if id := req.Header.Get("Webhook-Id"); !slices.Contains(r.known, id) {
		r.known, r.shown = append(r.known, id), append(r.shown, contract.Texts(body))
	}
}

func (r *inbox) Shown() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.shown
}

func TestContract(t *testing.T) {
	contract.Channel{
		Room: func() contract.Room { return &inbox{} }, Once: true, Status: true,
		Open: func(url string, guard outbound.Guard, timeout time.Duration) (contract.Sender, delivery.Contact) {
			return &webhook.Sender{Client: &outbound.Client{Guard: guard, Timeout: timeout}}, delivery.Contact{
				Method: "chat", Type: delivery.Webhook, Address: url + "/" + contract.Secret, Secret: contract.Secret,
			}
		},
	}.Run(t)
}
