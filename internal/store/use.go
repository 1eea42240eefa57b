package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// A Use is what a signed link was used for. Instants are in UTC.
type Use struct {
	Link    string // its ID
	Person  string // who has used it
	Action  string // the decision taken
	At      time.Time
	Expires time.Time // when the link does
}

// keep is how long a use is remembered after its link has expired, which is refused before it is asked for here.
const keep = 24 * time.Hour

// UseLink claims a link, once. When it was used before, first is false and before says by whom, when and for what. An At
// that is zero is now. The fields that are wrong are *FaultError, all of them joined.
func (s *Store) UseLink(ctx context.Context, u Use) (first bool, before Use, err error) {
	now := s.now()
	if u.At.IsZero() {
		u.At = now
	}
	err = errors.Join(
		need(u.Link != "", "link", "want its id"),
		need(u.Person != "", "person", "want an id"),
		need(u.Action != "", "action", "want its name"),
		need(!u.Expires.IsZero(), "expires", "want an instant"),
	)
	if err == nil {
		err = s.write.change(ctx, func(tx *transaction) error {
			_, err := tx.ExecContext(ctx, "DELETE FROM links WHERE expires < ?", instant(now.Add(-keep)))
			if err != nil {
				return err
			}
			var used bool
			if before, used, err = use(ctx, tx, u.Link); err != nil || used {
				return err
			}
			first = true
			_, err = tx.ExecContext(ctx, "INSERT INTO links "+marks(useColumns), u.columns()...)
			return err
		})
	}
	if err != nil {
		return false, Use{}, fmt.Errorf("use link %s: %w", u.Link, err)
	}
	return first, before, nil
}

// ReleaseLink gives a link back when its action did not happen for a reason of ours.
func (s *Store) ReleaseLink(ctx context.Context, link string) error {
	if _, err := s.write.ExecContext(ctx, "DELETE FROM links WHERE link = ?", link); err != nil {
		return fmt.Errorf("release link %s: %w", link, err)
	}
	return nil
}

// UsedLink returns what a link was used for, and whether it was.
func (s *Store) UsedLink(ctx context.Context, link string) (Use, bool, error) {
	u, used, err := use(ctx, s.read, link)
	if err != nil {
		return Use{}, false, fmt.Errorf("look up link %s: %w", link, err)
	}
	return u, used, nil
}

func use(ctx context.Context, q querier, link string) (u Use, used bool, err error) {
	err = q.QueryRowContext(ctx, "SELECT "+useColumns+" FROM links WHERE link = ?", link).Scan(u.columns()...)
	if errors.Is(err, sql.ErrNoRows) {
		return Use{}, false, nil
	}
	return u, err == nil, err
}

const useColumns = "link, person, action, at, expires"

// columns are the fields of a use in the order of useColumns, to be written from and scanned into.
func (u *Use) columns() []any {
	return []any{&u.Link, &u.Person, &u.Action, (*instant)(&u.At), (*instant)(&u.Expires)}
}
