package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"muster/internal/asset"
	"muster/internal/calendar"
	"muster/internal/link"
	"muster/internal/org"
	"muster/internal/planrun"
	"muster/internal/refusal"
	"muster/starter"
)

// A NewVendorNotice is what a vendor has said of one of its products.
type NewVendorNotice struct {
	Vendor    string           `json:"vendor"`    // ID or name of a vendor of the folder, or any other name
	Reference string           `json:"reference"` // under which the vendor knows it
	Kind      asset.NoticeKind `json:"kind"`
	Product   string           `json:"product"`
	Versions  []string         `json:"versions,omitempty"` // each a version or bounds; none: every version
	Title     string           `json:"title"`
	URL       string           `json:"url,omitempty"`
	Severity  asset.Severity   `json:"severity,omitempty"`
	By        string           `json:"by"` // day by which something has to be done
}

// A VendorNoticeReceipt says whom a notice concerns. Of whom it concerns nobody, it has none.
type VendorNoticeReceipt struct {
	Vendor    string            `json:"vendor"` // as it is known
	Reference string            `json:"reference"`
	Customers []NoticedCustomer `json:"customers"`
}

// A NoticedCustomer has assets that a notice is about, and the run of the plan that sees to it.
type NoticedCustomer struct {
	ID     string     `json:"id"`
	Name   string     `json:"name"`
	Assets []string   `json:"assets"`          // IDs, of which its run knows
	Run    planrun.ID `json:"run,omitempty"`   // empty: none could be started
	Fault  string     `json:"fault,omitempty"` // why
}

// notice reads what was given, with all that is wrong with it.
func (g *NewVendorNotice) notice(today calendar.Date) (asset.Notice, error) {
	n := asset.Notice{
		Vendor: g.Vendor, Reference: strings.TrimSpace(g.Reference), Kind: g.Kind, Product: g.Product, Title: g.Title, URL: g.URL, Severity: g.Severity,
	}
	for _, v := range g.Versions {
		n.Versions = append(n.Versions, asset.Range(v))
	}
	var faults []refusal.Fault
	if g.By != "" {
		var err error
		if n.By, err = calendar.ParseDate(g.By); err != nil {
			faults = append(faults, refusal.Fault{Field: "by", Detail: "want a day such as 2026-12-31"})
		}
	}
	for _, f := range n.Faults(today) {
		if f.Field != "by" || len(faults) == 0 {
			faults = append(faults, refusal.Fault{Field: f.Field, Detail: f.Detail})
		}
	}
	if len(faults) > 0 {
		return n, refusal.Of(http.StatusUnprocessableEntity, faults...)
	}
	return n, nil
}

// day is which day it is in the organisation's zone.
func (s *server) day() calendar.Date {
	zone, err := time.LoadLocation(s.Zone)
	if err != nil {
		zone = time.UTC
	}
	return calendar.DateOf(s.Now().In(zone))
}

// takeVendorNotice starts the plan for a notice for each customer whom it concerns as the folder is now. The same vendor and reference are one
// notice, whoever says it how often.
func (s *server) takeVendorNotice(w http.ResponseWriter, r *http.Request) error {
	var given NewVendorNotice
	req, err := s.request(w, r, &given)
	if err != nil {
		return err
	}
	n, err := given.notice(s.day())
	if err != nil {
		return err
	}
	receipt := VendorNoticeReceipt{Vendor: s.Directory().VendorID(n.Vendor), Reference: n.Reference, Customers: []NoticedCustomer{}}
	for _, c := range s.Directory().Concerned(n) {
		done, err := s.beginNoticed(r.Context(), req, receipt.Vendor, &n, c)
		s.Log.Info("command", "vendor", receipt.Vendor, "notice", n.Reference, "customer", c.Customer.ID, "command", "notice", "actor", req.By.ID, "run", done.Run, "fault", done.Fault, "error", err)
		if err != nil {
			return err
		}
		receipt.Customers = append(receipt.Customers, done)
	}
	return answer(w, receipt)
}

// beginNoticed starts the run for one customer, or finds the one that there is. What keeps one from being started keeps no other.
func (s *server) beginNoticed(ctx context.Context, req starter.Request, vendor string, n *asset.Notice, c org.Concerned) (NoticedCustomer, error) {
	done := NoticedCustomer{ID: c.Customer.ID, Name: c.Customer.Name, Assets: c.Assets}
	terms, err := s.Directory().StartPlan(c.Start)
	if err != nil {
		done.Fault = err.Error()
		return done, nil //nolint:nilerr // it is told
	}
	said, err := json.Marshal(n)
	if err != nil {
		return done, err
	}
	sum := sha256.Sum256(said)
	terms.Notice = &planrun.Noticed{
		Source: "vendor/" + vendor, ID: n.Reference, Key: link.Hash("vendor-notice", vendor, n.Reference), SHA256: hex.EncodeToString(sum[:]),
	}
	req.ID = "vendor-notice/" + link.Hash(vendor, n.Reference, c.Customer.ID)
	run, err := s.Backend.StartPlanRun(ctx, req, terms)
	if refused, is := errors.AsType[*starter.RefusedError](err); is {
		done.Fault = refused.Error()
		return done, nil
	}
	if err != nil {
		return done, err
	}
	done.Run = run.ID
	if known := noticedAssets(run); known != nil { // it may have been started before there were others
		done.Assets = known
	}
	return done, nil
}

// noticedAssets are the assets that the notice is about that has started a run, nil where none of a vendor has.
func noticedAssets(r *planrun.Run) []string {
	if r.Notice == nil || !strings.HasPrefix(r.Notice.Source, "vendor/") {
		return nil
	}
	n := slices.IndexFunc(r.Parameters, func(v planrun.Value) bool { return v.ID == "assets" })
	if n < 0 {
		return nil
	}
	return r.Parameters[n].List
}

// Notice says what a vendor has said, under a key; an empty key means a new one.
func (c *Client) Notice(ctx context.Context, n NewVendorNotice, key string) (VendorNoticeReceipt, error) {
	var r VendorNoticeReceipt
	err := c.post(ctx, Path+"vendor-notices", n, key, &r)
	return r, err
}
