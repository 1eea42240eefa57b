package node

import (
	"context"
	"errors"
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"

	"muster/workflows"
)

// declare adds the search attributes to an outside Temporal, where that is allowed and they are missing.
func (n *Node) declare(ctx context.Context) error {
	for _, k := range workflows.SearchAttributes() {
		_, err := n.temporal.OperatorService().AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{
			Namespace: n.namespace, SearchAttributes: map[string]enumspb.IndexedValueType{k.GetName(): k.GetValueType()},
		})
		if _, there := errors.AsType[*serviceerror.AlreadyExists](err); err != nil && !there {
			return fmt.Errorf("add search attribute %s: %w", k.GetName(), err)
		}
	}
	return nil
}
