package install

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshctl/meshctl/internal/hint"
)

// failure turns an error of the API server into one sentence about one object,
// with the next step. Errors that already carry one pass.
func failure(doing, object, verb string, err error) error {
	var known *hint.Error
	switch {
	case errors.As(err, &known):
		return err
	case isFieldConflict(err):
		return hint.Failf("see who owns the fields with `kubectl get ... -o yaml --show-managed-fields`, or take them over with --force-conflicts",
			"%s %s: %s", doing, object, conflicts(err))
	case apierrors.IsForbidden(err):
		return hint.Unanswerablef(canI(verb, err), "%s %s: forbidden: %s", doing, object, message(err))
	case errors.Is(err, context.DeadlineExceeded):
		return hint.Unanswerablef("give it longer with --timeout; running the same command again continues", "%s %s: no answer before the deadline", doing, object)
	case meta.IsNoMatchError(err):
		return hint.Failf("install the CRD of this kind first", "%s %s: the cluster does not know this kind", doing, object)
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err):
		return hint.Failf("look at the object with `meshctl manifest generate` and the same flags", "%s %s: the API server refuses it: %s", doing, object, message(err))
	case apierrors.IsInternalError(err) && strings.Contains(err.Error(), "failed calling webhook"):
		return hint.Failf("a webhook in the cluster does not answer: see whether its service runs, or remove its configuration", "%s %s: %s", doing, object, message(err))
	}
	return fmt.Errorf("%s %s: %w", doing, object, err)
}

// canI is the command that asks for the missing permission.
func canI(verb string, err error) string {
	details := statusOf(err).Details
	if details == nil || details.Kind == "" {
		return "see what you may do with `kubectl auth can-i --list`"
	}
	resource := details.Kind
	if details.Group != "" {
		resource += "." + details.Group
	}
	return fmt.Sprintf("check with `kubectl auth can-i %s %s`; installing a mesh takes cluster-admin or equal rights", verb, resource)
}

func isFieldConflict(err error) bool {
	return apierrors.IsConflict(err) && slices.ContainsFunc(causes(err), isConflictCause)
}

func isConflictCause(c metav1.StatusCause) bool {
	return c.Type == metav1.CauseTypeFieldManagerConflict
}

// conflicts says which fields have which owners: ".spec.x is owned by "y"".
func conflicts(err error) string {
	var parts []string
	for _, c := range causes(err) {
		if !isConflictCause(c) {
			continue
		}
		// The API server writes: conflict with "owner" using apps/v1 at ...
		owner := c.Message
		if quoted := strings.SplitN(c.Message, `"`, 3); len(quoted) == 3 {
			owner = quoted[1]
		}
		parts = append(parts, fmt.Sprintf("%s is owned by %q", c.Field, owner))
	}
	return strings.Join(parts, ", ")
}

func causes(err error) []metav1.StatusCause {
	if d := statusOf(err).Details; d != nil {
		return d.Causes
	}
	return nil
}

func statusOf(err error) metav1.Status {
	var s apierrors.APIStatus
	if errors.As(err, &s) {
		return s.Status()
	}
	return metav1.Status{}
}

func message(err error) string {
	if m := statusOf(err).Message; m != "" {
		return m
	}
	return err.Error()
}

// joinFailures makes one error of many: the sentence says how many, a line
// each says which. The class and the hint are those of the first.
func joinFailures(doing string, failures []error) error {
	switch len(failures) {
	case 0:
		return nil
	case 1:
		return fmt.Errorf("%s: %w", doing, failures[0])
	}
	slices.SortFunc(failures, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	var lines strings.Builder
	const most = 20
	for i, f := range failures {
		if i == most {
			fmt.Fprintf(&lines, "\n  and %d more", len(failures)-most)
			break
		}
		fmt.Fprintf(&lines, "\n  %s", f)
	}
	return &joined{text: fmt.Sprintf("%s: %d problems:%s", doing, len(failures), lines.String()), first: failures[0]}
}

type joined struct {
	text  string
	first error
}

func (j *joined) Error() string { return j.text }

// Unwrap is the first failure: it decides the hint and the exit code.
func (j *joined) Unwrap() error { return j.first }
