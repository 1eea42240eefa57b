package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// A storm posts over connections that are kept open, each post as soon as the one before it on its connection is answered.
// It writes prepared bytes and reads no more of an answer than it must: on two cores the load should not be what is
// measured. It ends with its time or its number of posts, whichever comes first.
type storm struct {
	address     string // on this machine
	connections int
	posts       int           // at most
	within      time.Duration // begin no post after it
	request     func(buf []byte, n int) []byte
	posted      *atomic.Int64 // if given, counts accepted posts as they go
}

// stormed is what came of a storm.
type stormed struct {
	accepted, again int // posts answered 200; answers 503, after each of which the post was repeated
	took            time.Duration
	latencies       []time.Duration // of accepted posts
}

// run posts. Any answer but 200 and 503 is an error.
func (s storm) run(ctx context.Context) (stormed, error) {
	var next atomic.Int64
	outs, faults := make([]stormed, s.connections), make([]error, s.connections)
	links := make([]*link, s.connections)
	for c := range links {
		var err error
		if links[c], err = dial(ctx, s.address); err != nil {
			return stormed{}, err
		}
		defer links[c].close()
	}
	var all sync.WaitGroup
	began := time.Now()
	for c := range links {
		all.Go(func() { faults[c] = s.pour(ctx, links[c], &next, began, &outs[c]) })
	}
	all.Wait()
	var sum stormed
	for _, out := range outs {
		sum.accepted, sum.again = sum.accepted+out.accepted, sum.again+out.again
		sum.latencies = append(sum.latencies, out.latencies...)
	}
	sum.took = time.Since(began)
	return sum, errors.Join(faults...)
}

// pour is one connection.
func (s storm) pour(ctx context.Context, l *link, next *atomic.Int64, began time.Time, out *stormed) error {
	var buf []byte
	for ctx.Err() == nil && time.Since(began) < s.within {
		n := int(next.Add(1)) - 1
		if n >= s.posts {
			return nil
		}
		buf = s.request(buf[:0], n)
		for sent := time.Now(); ; {
			status, err := l.post(buf)
			if err != nil {
				return err
			}
			if status == 200 {
				out.accepted++
				out.latencies = append(out.latencies, time.Since(sent))
				if s.posted != nil {
					s.posted.Add(1)
				}
				break
			}
			if out.again++; status != 503 {
				return fmt.Errorf("post %d: answered %d: %s", n, status, l.last)
			}
			if err := pause(ctx, 100*time.Millisecond); err != nil {
				return err
			}
		}
	}
	return nil
}

// link is one connection that is kept open.
type link struct {
	conn net.Conn
	buf  []byte
	last []byte // body of the last answer
}

func dial(ctx context.Context, address string) (*link, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	return &link{conn: conn, buf: make([]byte, 4096)}, nil
}

func (l *link) close() { _ = l.conn.Close() }

// post writes a request and reads its answer.
func (l *link) post(request []byte) (status int, err error) {
	if err := l.conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return 0, err
	}
	if _, err := l.conn.Write(request); err != nil {
		return 0, fmt.Errorf("post: %w", err)
	}
	have, body, length := 0, -1, 0
	for body < 0 || have < body+length {
		if have == len(l.buf) {
			return 0, fmt.Errorf("post: answer of more than %d bytes", len(l.buf))
		}
		n, err := l.conn.Read(l.buf[have:])
		if err != nil {
			return 0, fmt.Errorf("post: read answer: %w", err)
		}
		have += n
		if body < 0 {
			body, status, length, err = head(l.buf[:have])
			if err != nil {
				return 0, err
			}
		}
	}
	l.last = l.buf[body:have]
	return status, nil
}

// head finds where the body of an answer begins, -1 while its head is not whole.
func head(text []byte) (body, status, length int, err error) {
	end := bytes.Index(text, []byte("\r\n\r\n"))
	if end < 0 {
		return -1, 0, 0, nil
	}
	if end < 12 {
		return 0, 0, 0, fmt.Errorf("answer %q: want HTTP", text[:end])
	}
	if status, err = strconv.Atoi(string(text[9:12])); err != nil {
		return 0, 0, 0, fmt.Errorf("answer %q: want a status", text[:12])
	}
	_, after, found := bytes.Cut(text[:end+2], []byte("\r\nContent-Length: "))
	digits, _, _ := bytes.Cut(after, []byte("\r\n"))
	if length, err = strconv.Atoi(string(digits)); err != nil || !found {
		return 0, 0, 0, fmt.Errorf("answer %q: want a Content-Length", text[:end])
	}
	return end + 4, status, length, nil
}
