package bundle

import "errors"

// A Proof is what is known of a file that is what it was.
type Proof struct {
	Bundle *Bundle // nil: the log has it as something else
	Record *Record // nil: not checked against a log
	Index  int64   // of the record
}

// Verify proves that a file is what it was: a bundle in itself, and anything by the log that has it. Without a log there is
// only what a bundle says of itself, which whoever makes another one can say as well.
func Verify(file string, content []byte, l *Log) (p Proof, err error) {
	if l != nil {
		if p.Index, err = l.Find(file, content); err == nil {
			p.Record = &l.records[p.Index]
		}
	}
	if p.Record != nil && p.Record.Kind != OfBundle {
		return p, nil
	}
	b, broken := Read(file, content)
	p.Bundle = b
	return p, errors.Join(broken, err)
}
