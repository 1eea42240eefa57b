package outbound_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"muster/internal/outbound"
)

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	tests := []struct {
		header string
		want   time.Duration
	}{
		{"", 0},
		{"0", 0},
		{"1", time.Second},
		{" 120 ", 2 * time.Minute},
		{"3600", time.Hour},
		{"3601", time.Hour},
		{"99999999999999999999999999", time.Hour}, // past what an integer holds
		{"9223372036854775807", time.Hour},        // past what a duration holds
		{"-5", 0},
		{"1.5", 0},
		{"soon", 0},
		{"Sun, 22 Nov 2026 10:00:30 GMT", 30 * time.Second},
		{"Sunday, 22-Nov-26 10:00:30 GMT", 30 * time.Second}, // RFC 850
		{"Sun Nov 22 10:00:30 2026", 30 * time.Second},       // asctime
		{"Sun, 22 Nov 2026 09:59:59 GMT", 0},
		{"Mon, 23 Nov 2026 10:00:00 GMT", time.Hour},
		{"Fri, 31 Dec 9999 23:59:59 GMT", time.Hour},
		{"Mon, 01 Jan 0001 00:00:00 GMT", 0},
	}
	for _, tt := range tests {
		if got := outbound.RetryAfter(tt.header, now); got != tt.want {
			t.Errorf("%q: got %v, want %v", tt.header, got, tt.want)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	for _, seed := range []string{"", "0", "120", "-1", "1e9", "Sun, 22 Nov 2026 10:00:30 GMT", "99999999999999999999"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		got := outbound.RetryAfter(header, now)
		if got < 0 || got > time.Hour {
			t.Errorf("%q: got %v, which is not between zero and an hour", header, got)
		}
		if n, err := strconv.ParseUint(header, 10, 64); err == nil && n <= 3600 && got != time.Duration(n)*time.Second {
			t.Errorf("%q: got %v", header, got)
		}
		if date, err := http.ParseTime(header); err == nil && date.After(now) && got == 0 {
			t.Errorf("%q: got no wait, although it lies ahead", header)
		}
	})
}
