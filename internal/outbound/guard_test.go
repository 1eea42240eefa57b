package outbound_test

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"muster/internal/outbound"
)

func TestGuardCheck(t *testing.T) {
	tests := map[string]bool{ // may it be dialled?
		"8.8.8.8": true, "1.1.1.1": true, "100.63.255.255": true, "100.128.0.0": true, "172.15.0.1": true,
		"172.32.0.1": true, "192.0.1.1": true, "198.20.0.1": true, "223.255.255.255": true,
		"2606:4700::1111": true, "2001:4860:4860::8888": true, "2a00::1": true, "::ffff:8.8.8.8": true,

		"0.0.0.0": false, "0.1.2.3": false, "10.1.2.3": false, "100.64.0.1": false, "100.127.255.255": false,
		"127.0.0.1": false, "127.255.255.255": false, "169.254.169.254": false, "172.16.0.1": false,
		"172.31.255.255": false, "192.0.0.8": false, "192.0.0.170": false, "192.0.2.1": false, "192.88.99.1": false,
		"192.168.1.1": false, "198.18.0.1": false, "198.19.255.255": false, "198.51.100.1": false, "203.0.113.7": false,
		"224.0.0.1": false, "239.255.255.250": false, "240.0.0.1": false, "255.255.255.255": false,

		"::": false, "::1": false, "::7f00:1": false, "::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false,
		"::ffff:169.254.169.254": false, "::ffff:0:127.0.0.1": false, "64:ff9b::7f00:1": false, "64:ff9b::808:808": false,
		"64:ff9b:1::1": false, "100::1": false, "2001::1": false, "2001:db8::1": false, "2002:7f00:1::": false,
		"2002:808:808::1": false, "3fff::1": false, "5f00::1": false, "fc00::1": false, "fd12::1": false,
		"fe80::1": false, "fe80::1%eth0": false, "fec0::1": false, "ff02::1": false,
	}
	for text, want := range tests {
		err := outbound.Guard{}.Check(netip.MustParseAddr(text))
		if (err == nil) != want {
			t.Errorf("%s: got %v, want permitted: %v", text, err, want)
		}
	}
}

func TestGuardAllow(t *testing.T) {
	g := outbound.Guard{Allow: []netip.Prefix{netip.MustParsePrefix("10.20.0.0/16"), netip.MustParsePrefix("fd12::/32")}}
	for text, want := range map[string]bool{
		"10.20.0.0": true, "10.20.255.255": true, "::ffff:10.20.1.1": true, "fd12::1": true, "fd12::1%eth0": true, "8.8.8.8": true,
		"10.19.255.255": false, "10.21.0.0": false, "fd13::1": false, "127.0.0.1": false,
	} {
		if err := g.Check(netip.MustParseAddr(text)); (err == nil) != want {
			t.Errorf("%s: got %v, want permitted: %v", text, err, want)
		}
	}
}

func TestGuardControlDeniesWhatIsNoAddress(t *testing.T) {
	for _, address := range []string{"", "localhost:80", "8.8.8.8", "/run/docker.sock"} {
		if err := (outbound.Guard{}).Control(t.Context(), "tcp", address, nil); err == nil {
			t.Errorf("%q was permitted", address)
		}
	}
}

func TestClientDeniesOwnNetwork(t *testing.T) {
	var hits atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	defer srv.Close()
	_, port, _ := net.SplitHostPort(srv.Listener.Addr().String())
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0.0.0.0"} {
		_, err := post(t, new(outbound.Client), "http://"+host+":"+port+secretPath)
		if got, _ := outcomeOf(t, err); got != refused || !strings.Contains(err.Error(), "under own_networks in organisation.yaml") {
			t.Errorf("%s: got %v (%v), want refused with what to allow", host, got, err)
		}
	}
	if hits.Load() != 0 {
		t.Fatalf("%d requests arrived", hits.Load())
	}
	if _, err := post(t, &outbound.Client{Guard: loopback()}, "http://localhost:"+port); err != nil || hits.Load() != 1 {
		t.Errorf("with loopback allowed: %d requests arrived, %v", hits.Load(), err)
	}
}

// A name whose answers change between a check and the connection passes every guard that looks only before it dials.
func TestGuardSeesRebinding(t *testing.T) {
	srv := httptest.NewServer(nil)
	defer srv.Close()
	_, port, _ := net.SplitHostPort(srv.Listener.Addr().String())

	for name, tt := range map[string]struct {
		guard outbound.Guard
		want  bool
	}{
		"guarded":          {outbound.Guard{}, false},
		"loopback allowed": {loopback(), true}, // so it is the guard that makes the difference
	} {
		t.Run(name, func(t *testing.T) {
			resolver := resolve(t, "93.184.215.14", "127.0.0.1")
			before, err := resolver.LookupNetIP(t.Context(), "ip4", "rebind.example.")
			if err != nil || tt.guard.Check(before[0]) != nil {
				t.Fatalf("the first answer %v should pass: %v", before, err)
			}
			dialer := net.Dialer{Resolver: resolver, ControlContext: tt.guard.Control}
			conn, err := dialer.DialContext(t.Context(), "tcp4", "rebind.example.:"+port)
			if (err == nil) != tt.want {
				t.Errorf("connected: %v, want %v", err, tt.want)
			}
			if err == nil {
				conn.Close()
			}
		})
	}
}

// resolve makes a resolver that gives the answers in turn to questions for an IPv4 address.
func resolve(t *testing.T, answers ...string) *net.Resolver {
	t.Helper()
	var asked atomic.Int32
	answer := func(conn net.Conn) {
		defer conn.Close()
		length := make([]byte, 2) // DNS over a stream: each message has its length before it
		if _, err := io.ReadFull(conn, length); err != nil {
			return
		}
		question := make([]byte, binary.BigEndian.Uint16(length))
		if _, err := io.ReadFull(conn, question); err != nil {
			return
		}
		end := 12 // after the header: the name's labels, the type and the class
		for question[end] != 0 {
			end += int(question[end]) + 1
		}
		end += 5
		reply := append([]byte{question[0], question[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, question[12:end]...)
		if binary.BigEndian.Uint16(question[end-4:]) == 1 { // an A record is wanted
			n := min(int(asked.Add(1)), len(answers)) - 1
			reply[7] = 1
			reply = append(reply, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4)
			reply = append(reply, netip.MustParseAddr(answers[n]).AsSlice()...)
		}
		_, _ = conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...))
	}
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go answer(theirs)
		return ours, nil
	}}
}
