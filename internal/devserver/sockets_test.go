package devserver_test

import (
	"encoding/hex"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// socket is one TCP socket of this process.
type socket struct {
	local, remote netip.AddrPort
	listens       bool
}

// sockets finds this process's TCP sockets by their inode.
func sockets(t *testing.T) map[string]socket {
	t.Helper()
	files, err := filepath.Glob("/proc/self/fd/*")
	if err != nil || len(files) == 0 {
		t.Skip("no /proc here")
	}
	mine := map[string]bool{}
	for _, file := range files {
		if target, err := os.Readlink(file); err == nil {
			mine[strings.TrimSuffix(strings.TrimPrefix(target, "socket:["), "]")] = true
		}
	}
	found := map[string]socket{}
	for _, table := range []string{"/proc/self/net/tcp", "/proc/self/net/tcp6"} {
		text, err := os.ReadFile(table)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(text)) {
			fields := strings.Fields(line)
			if len(fields) > 9 && mine[fields[9]] {
				const listening = "0A"
				found[fields[9]] = socket{addrPort(t, fields[1]), addrPort(t, fields[2]), fields[3] == listening}
			}
		}
	}
	return found
}

// testSockets looks at every TCP socket that the engine opened: it may only listen on, and talk to, loopback. It
// returns where the engine listens.
func testSockets(t *testing.T, before map[string]socket) (listening []netip.AddrPort) {
	for inode, s := range sockets(t) {
		switch _, old := before[inode]; {
		case old:
		case s.listens:
			listening = append(listening, s.local)
			if s.local.Addr() != netip.MustParseAddr("127.0.0.1") {
				t.Errorf("listens on %s", s.local)
			}
		case !s.remote.Addr().IsLoopback():
			t.Errorf("talks to %s", s.remote)
		}
	}
	// Four services, their own frontend, the web UI and the metrics. An eighth would be a membership port or an HTTP
	// API.
	if len(listening) != 7 {
		t.Errorf("listening sockets: got %v, want 7", listening)
	}
	return listening
}

// addrPort reads an address as /proc/net prints it: 32-bit words in the machine's order, here little endian.
func addrPort(t *testing.T, text string) netip.AddrPort {
	t.Helper()
	addrText, portText, _ := strings.Cut(text, ":")
	raw, err := hex.DecodeString(addrText)
	if err != nil {
		t.Fatal(err)
	}
	for word := range slices.Chunk(raw, 4) {
		slices.Reverse(word)
	}
	addr, _ := netip.AddrFromSlice(raw)
	port, err := strconv.ParseUint(portText, 16, 16)
	if err != nil {
		t.Fatal(err)
	}
	return netip.AddrPortFrom(addr.Unmap(), uint16(port))
}
