package node

import (
	"context"
	"fmt"
	"net"
	"os"
)

// ready tells the service manager that has started this process, should there be one, that the node does its work, and when it stops
// that it is about to. Nothing depends on its hearing it.
func (n *Node) ready(ctx context.Context) {
	say := func(ctx context.Context, state string) {
		if err := notify(ctx, os.Getenv("NOTIFY_SOCKET"), state); err != nil {
			n.cfg.Log.Warn("service manager not told", "state", state, "error", err)
		}
	}
	say(ctx, "READY=1")
	n.onStop(func() { say(context.WithoutCancel(ctx), "STOPPING=1") })
}

// notify sends a state to the socket of a service manager by the protocol of sd_notify(3). A name that begins with @ is one of Linux's
// abstract names. No socket: nobody wants to know.
func notify(ctx context.Context, socket, state string) error {
	if socket == "" {
		return nil
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "unixgram", socket)
	if err != nil {
		return fmt.Errorf("notify: %w", err)
	}
	defer conn.Close()
	if _, err := conn.Write([]byte(state)); err != nil {
		return fmt.Errorf("notify: %w", err)
	}
	return nil
}
