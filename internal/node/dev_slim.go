//go:build slim

package node

import (
	"context"
	"errors"
)

// Start says that a build without the engine has none.
func Start(context.Context, DevConfig) (*Running, error) {
	return nil, errors.New("this build has no engine: use muster worker and muster serve with a Temporal, or a full build")
}

func (r *Running) greet() {}
