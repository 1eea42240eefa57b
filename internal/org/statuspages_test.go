package org_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/incident"
	"muster/internal/org"
)

const twoPages = `status_pages:
  - {id: public, name: Acme status, system: folder, folder: status, url: "https://status.example.com/"}
  - {id: hosted, name: Acme, system: statuspage, page: kctbh9vrtdwd, key: env:STATUSPAGE_KEY}
`

// paged is an organisation whose shop stands on status pages.
func paged(t *testing.T, pages, on string) map[string]string {
	t.Helper()
	files := good(t)
	files["organisation.yaml"] += pages
	change{"services.yaml", "    quiet: 5m", "    status_pages: " + on + "\n    quiet: 5m"}.in(t, files)
	return files
}

func TestStatusPages(t *testing.T) {
	t.Setenv("STATUSPAGE_KEY", "s3cret")
	o := load(t, paged(t, twoPages, "[{page: public, name: 쇼핑몰}, {page: hosted, name: 쇼핑몰, component: 8kbf7d35c070}]"))
	d := define(t, o, "prometheus", map[string]string{"service": "shop", "alertname": "Down"}, "it is down")
	want := &incident.Communication{Pages: []incident.StatusPage{
		{ID: "public", Name: "쇼핑몰"}, {ID: "hosted", Name: "쇼핑몰", Component: "8kbf7d35c070"},
	}, Settles: true}
	if diff := cmp.Diff(want, d.Communication); diff != "" {
		t.Error(diff)
	}
	for id, want := range map[string]org.StatusPage{
		"public": {Name: "Acme status", System: org.FolderPage, Folder: "status", URL: "https://status.example.com/"},
		"hosted": {Name: "Acme", System: org.HostedPage, Page: "kctbh9vrtdwd", API: "https://api.statuspage.io", Key: "s3cret"},
	} {
		got, err := o.StatusPage(id)
		if err != nil || got != want {
			t.Errorf("%s: got %+v, %v", id, got, err)
		}
		if strings.Contains(fmt.Sprintf("%+v", got), "s3cret") {
			t.Errorf("%s prints its key", id)
		}
	}
	t.Setenv("STATUSPAGE_KEY", "")
	for id, want := range map[string]string{
		"hosted": "status page hosted: key env:STATUSPAGE_KEY: not set in the environment of this process", "none": `status page "none"`,
	} {
		if _, err := o.StatusPage(id); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", id, err, want)
		}
	}
}

func TestUpdateApproval(t *testing.T) {
	d := define(t, load(t, paged(t, twoPages+"update_approval: {within: 15m}\n", "[]")), "prometheus", map[string]string{"service": "shop"}, "it is down")
	if diff := cmp.Diff(&incident.Communication{Approval: &incident.ApprovalRule{Within: 15 * time.Minute}, Settles: true}, d.Communication); diff != "" {
		t.Error(diff)
	}
	got := strings.Join(faults(t, paged(t, twoPages+"update_approval: {}\n", "[]")), "\n")
	if want := "organisation: update_approval: within: missing"; !strings.Contains(got, want) {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func TestFaultsOfStatusPages(t *testing.T) {
	for _, tt := range []struct{ was, is, want string }{
		{"folder: status,", "folder: ../status,", `organisation.yaml:31:61: status page public: folder "../status": want the name of a folder: letters, digits, - and _, such as status`},
		{"folder: status,", "folder: status, key: env:X,", "status page public: key: want none, because a page of the system folder is files"},
		{"key: env:STATUSPAGE_KEY", "key: s3cret", "status page hosted: key <secret>: want a reference to a secret"},
		{"page: kctbh9vrtdwd", "page: a/b", `status page hosted: page "a/b": want what the API calls it`},
		{"system: statuspage", "system: cachet", `status page hosted: system "cachet": want folder or statuspage`},
		{"page: kctbh9vrtdwd,", "page: kctbh9vrtdwd, folder: x,", "status page hosted: folder: want none, because a hosted page is no files"},
		{"{id: hosted, name: Acme, system: statuspage, page: kctbh9vrtdwd, key: env:STATUSPAGE_KEY}", "{id: hosted, name: Acme, system: folder, folder: status}", `status page hosted: folder "status": status page public has it`},
	} {
		got := strings.Join(faults(t, paged(t, strings.Replace(twoPages, tt.was, tt.is, 1), "[]")), "\n")
		if !strings.Contains(got, tt.want) || strings.Contains(got, "s3cret") {
			t.Errorf("%s: got %s\nwant %s", tt.is, got, tt.want)
		}
	}
	for on, want := range map[string]string{
		"[{page: publik, name: Shop}]": `page "publik": no such status page; did you mean public?`,
		"[{page: public}]":             "name: missing",
		"[{page: public, name: Shop}, {page: public, name: Shop 2}]": `page "public": named twice`,
	} {
		if got := strings.Join(faults(t, paged(t, twoPages, on)), "\n"); !strings.Contains(got, want) {
			t.Errorf("%s: got %s\nwant %s", on, got, want)
		}
	}
}
