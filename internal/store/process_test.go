package store_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"muster/internal/store"
)

// childEnv names the file on which the test binary, run again as a process that can be killed, keeps writing.
const childEnv = "MUSTER_STORE_CHILD"

func TestMain(m *testing.M) {
	file := os.Getenv(childEnv)
	if file == "" {
		os.Exit(m.Run())
	}
	go func() { // Never outlive the test.
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(3)
	}()
	fmt.Fprintln(os.Stderr, write(file)) // ends only when something is wrong
	os.Exit(1)
}

// strolling is a clock on which more than a minute goes by from one look to the next: nothing is a flood.
func strolling() func() time.Time {
	var looks atomic.Int64
	began := time.Now()
	return func() time.Time { return began.Add(time.Duration(looks.Add(1)) * 61 * time.Second) }
}

// write keeps making tokens and recording attempts, and prints the secret of each token when both are written.
func write(file string) error {
	ctx := context.Background()
	s, err := openStore(ctx, file, strolling())
	if err != nil {
		return err
	}
	for n := 0; ; n++ {
		secret, _, err := s.CreateToken(ctx, laptop())
		if err != nil {
			return err
		}
		if _, err := s.Record(ctx, store.Attempt{Kind: store.AttemptMessage, Remote: fmt.Sprint("child ", n)}); err != nil {
			return err
		}
		fmt.Println(secret)
	}
}

// What was written before kill -9 is there afterwards, while another process has the file open and writes too.
func TestAKilledProcessLosesNothing(t *testing.T) {
	file := inFolder(t)
	s := open(t, file, strolling())
	self, err := os.Executable()
	must(t, err)
	var secrets []string
	mine := 0
	for range 2 {
		child := exec.CommandContext(t.Context(), self)
		child.Env = append(os.Environ(), childEnv+"="+file)
		child.Stderr = os.Stderr
		_, err = child.StdinPipe() // closed when this process ends
		must(t, err)
		out, err := child.StdoutPipe()
		must(t, err)
		must(t, child.Start())
		lines := bufio.NewScanner(out)
		n := 0
		for lines.Scan() { // Until the child is dead and the pipe is empty.
			secrets = append(secrets, lines.Text())
			_, err := s.Record(t.Context(), store.Attempt{Kind: store.AttemptDenied, Remote: fmt.Sprint("parent ", mine)})
			must(t, err)
			mine++
			if n++; n == 40 {
				must(t, child.Process.Kill())
			}
		}
		if err := child.Wait(); err == nil || n < 40 {
			t.Fatalf("the child ended by itself after %d: %v", n, err)
		}
	}
	after := open(t, file, time.Now)
	for _, secret := range secrets {
		if strings.HasPrefix(secret, store.Prefix) && store.Whole(secret) { // the last line may be cut
			_, err := after.Token(t.Context(), secret)
			must(t, err)
		}
	}
	checked, err := after.CheckAttempts(t.Context())
	if want := int64(len(secrets) + mine - 1); err != nil || checked < want {
		t.Errorf("got %d checked, %v; want %d at least", checked, err, want)
	}
	must(t, after.Err(t.Context()))
}
