package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A ForeignError is that a store is of an installation whose messages other keys sign.
type ForeignError struct {
	Store string
	Keys  []string // that sign there
	Own   []string // that sign here
}

// Error says which keys are wanted.
func (e *ForeignError) Error() string {
	return fmt.Sprintf("store %s is of an installation whose keys are %s, and here they are %s: bring the keys.json of that installation, or use a store of its own",
		e.Store, strings.Join(e.Keys, ", "), strings.Join(e.Own, ", "))
}

// Belongs notes the ids of the keys that sign the messages of this installation, and refuses a store of another one, with a *ForeignError:
// its work would take no message of this one, and be found by nobody. When keys are rotated, an old one stays beside the new one until it is
// noted.
func (s *Store) Belongs(ctx context.Context, keys []string) error {
	err := s.write.change(ctx, func(tx *transaction) error {
		known, err := signers(ctx, tx)
		if err != nil {
			return err
		}
		if len(known) > 0 && !slices.ContainsFunc(keys, func(k string) bool { return slices.Contains(known, k) }) {
			return &ForeignError{Store: s.where, Keys: known, Own: keys}
		}
		for _, k := range keys {
			if slices.Contains(known, k) {
				continue
			}
			if _, err := tx.ExecContext(ctx, "INSERT INTO signers VALUES (?)", k); err != nil {
				return err
			}
		}
		return nil
	})
	if _, foreign := errors.AsType[*ForeignError](err); err == nil || foreign {
		return err
	}
	return fmt.Errorf("note whose store %s is: %w", s.where, err)
}

func signers(ctx context.Context, tx *transaction) (keys []string, err error) {
	rows, err := tx.QueryContext(ctx, "SELECT key FROM signers ORDER BY key")
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var k string
		if err := rows.Scan(&k); err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	return keys, rows.Err()
}
