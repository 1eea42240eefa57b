package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"muster/internal/delivery"
	"muster/internal/outbound"
	"muster/internal/webhook"
)

// secret signs what is sent to the receiver.
const secret = "whsec_bXVzdGVyLWRlbW8tc2VjcmV0LW9ubHktZm9yLWRlbW8="

// receiver is somebody's pager and mailbox: it takes signed webhooks and remembers what they said.
type receiver struct {
	url    string
	server *http.Server
	shop   shop

	mu     sync.Mutex
	got    []outbound.Delivery
	unsure []string // deliveries whose signature was wrong
}

func newReceiver(ctx context.Context) (*receiver, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start receiver: %w", err)
	}
	r := &receiver{url: "http://" + l.Addr().String() + "/hook"}
	r.server = &http.Server{Handler: http.HandlerFunc(r.take), ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = r.server.Serve(l) }() // ends with close
	return r, nil
}

func (r *receiver) close() { _ = r.server.Close() }

// site is the address that answers when the shop works.
func (r *receiver) site() string { return strings.TrimSuffix(r.url, "/hook") + "/shop" }

func (r *receiver) take(w http.ResponseWriter, req *http.Request) {
	if req.URL.Path != "/hook" {
		r.shop.serve(w, req)
		return
	}
	body, err := io.ReadAll(io.LimitReader(req.Body, 4<<20))
	var d outbound.Delivery
	if err = errors.Join(err, json.Unmarshal(body, &d), verify(req.Header, body)); err != nil {
		r.mu.Lock()
		r.unsure = append(r.unsure, err.Error())
		r.mu.Unlock()
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got = append(r.got, d)
}

func verify(h http.Header, body []byte) error {
	seconds, err := strconv.ParseInt(h.Get("webhook-timestamp"), 10, 64)
	if err != nil {
		return fmt.Errorf("webhook-timestamp: %w", err)
	}
	want, err := webhook.Sign(secret, h.Get("webhook-id"), time.Unix(seconds, 0), body)
	if err != nil {
		return err
	}
	if h.Get("webhook-signature") != want {
		return errors.New("webhook-signature: does not match the body")
	}
	return nil
}

// count is how many deliveries of a kind a recipient has got.
func (r *receiver) count(k delivery.Kind, recipient string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, d := range r.got {
		if d.Message.Kind == k && (recipient == "" || d.Recipient.ID == recipient) {
			n++
		}
	}
	return n
}

// said tells whether a recipient has got something of a kind that says something.
func (r *receiver) said(k delivery.Kind, recipient, text string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.ContainsFunc(r.got, func(d outbound.Delivery) bool {
		return d.Message.Kind == k && d.Recipient.ID == recipient && strings.Contains(d.Message.Text, text)
	})
}

// last is the newest delivery of a kind that a recipient has got.
func (r *receiver) last(k delivery.Kind, recipient string) (outbound.Delivery, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, d := range slices.Backward(r.got) {
		if d.Message.Kind == k && d.Recipient.ID == recipient {
			return d, true
		}
	}
	return outbound.Delivery{}, false
}

// faults says what arrived wrongly: a bad signature, or one delivery id under two messages.
func (r *receiver) faults() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	seen := map[delivery.ID]string{}
	for _, d := range r.got {
		if was, ok := seen[d.ID]; ok && was != d.Message.Text {
			return fmt.Errorf("delivery %s came with two texts", d.ID)
		}
		seen[d.ID] = d.Message.Text
	}
	if len(r.unsure) > 0 {
		return fmt.Errorf("receiver refused %d deliveries, the first because: %s", len(r.unsure), r.unsure[0])
	}
	return nil
}
