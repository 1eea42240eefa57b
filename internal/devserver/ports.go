package devserver

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
)

// Free ports are looked for here: below the range from which the kernel gives outgoing connections their ports
// (32768 and up on Linux, 49152 on others), so that no connection of any program can take one between choosing and
// binding, and below Kubernetes' node ports (30000).
const (
	firstPort = 20000
	lastPort  = 29999
)

// freePorts finds n different ports that can be bound now.
func freePorts(n int) ([]int, error) {
	var found []int
	for range 100 * n {
		port := firstPort + rand.IntN(lastPort-firstPort+1)
		listener, err := listen(port)
		if err != nil {
			continue
		}
		defer listener.Close() // Held until all are found, so that they differ.
		if found = append(found, port); len(found) == n {
			return found, nil
		}
	}
	return nil, fmt.Errorf("find %d free ports on %s between %d and %d: none left", n, loopback, firstPort, lastPort)
}

// bindable says whether the port can be bound now.
func bindable(port int) error {
	listener, err := listen(port)
	if err != nil {
		return err
	}
	return listener.Close()
}

func listen(port int) (net.Listener, error) {
	var c net.ListenConfig
	listener, err := c.Listen(context.Background(), "tcp", address(port)) // Binding does not wait.
	var op *net.OpError
	if errors.As(err, &op) {
		return nil, fmt.Errorf("listen on %s: %w", address(port), op.Err)
	}
	return listener, err
}
