package install

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshctl/meshctl/internal/hint"
)

// problem is one thing that went wrong with one object.
type problem struct {
	doing, object, text string
	cause               error
}

func (p *problem) Error() string { return fmt.Sprintf("%s %s: %s", p.doing, p.object, p.text) }

// Unwrap is the error of the API server.
func (p *problem) Unwrap() error { return p.cause }

// failure turns an error of the API server into one sentence about one object,
// with the next step. Errors that already carry one pass.
func failure(doing, object, verb string, err error) error {
	var known *hint.Error
	if errors.As(err, &known) {
		return err
	}
	p := &problem{doing, object, message(err), err}
	fail := func(step string) error { return hint.Failf(step, "%w", p) }
	switch {
	case isFieldConflict(err):
		p.text = conflicts(err)
		if strings.Contains(p.text, `"istio-operator"`) {
			return fail("istioctl installed this: " + takeOwnership + "; --force-conflicts takes over just these fields")
		}
		return fail("see who owns the fields with `kubectl get ... -o yaml --show-managed-fields`; --force-conflicts takes them over")
	case apierrors.IsForbidden(err) && !isDenied(err):
		p.text = "refused: " + p.text
		return fail("something in the cluster refuses it: a webhook, a quota or a policy; " +
			"see `kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations,validatingadmissionpolicies`")
	case apierrors.IsForbidden(err):
		if _, who, found := strings.Cut(p.text, "is forbidden: "); found {
			p.text = who
		}
		p.text = "forbidden: " + p.text
		return hint.Unanswerablef(canI(verb, err), "%w", p)
	case errors.Is(err, context.DeadlineExceeded):
		p.text = "no answer before the deadline"
		return hint.Unanswerablef("give it longer with --timeout; running the same command again continues", "%w", p)
	case meta.IsNoMatchError(err):
		p.text = "the cluster does not know this kind"
		return fail("install the CRD of this kind first; a profile for a platform, such as openshift, needs that platform")
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err):
		p.text = "the API server refuses it: " + p.text
		return fail("look at the object with `meshctl manifest generate` and the same flags")
	case apierrors.IsInternalError(err) && strings.Contains(err.Error(), "failed calling webhook"):
		return fail("a webhook in the cluster does not answer: see whether its service runs, or remove its configuration")
	}
	return p
}

// isDenied tells a permission that is missing from an admission that is refused:
// the API server calls both forbidden.
func isDenied(err error) bool { return strings.Contains(message(err), " cannot ") }

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
	return fmt.Sprintf("check with `kubectl auth can-i %s %s`; to install or remove a mesh takes cluster-admin or equal rights", verb, resource)
}

func isFieldConflict(err error) bool {
	return apierrors.IsConflict(err) && slices.ContainsFunc(causes(err), isConflictCause)
}

func isConflictCause(c metav1.StatusCause) bool {
	return c.Type == metav1.CauseTypeFieldManagerConflict
}

// conflicts says which fields have which owners: "y" owns .spec.a, .spec.b.
func conflicts(err error) string {
	fields := map[string][]string{}
	for _, c := range causes(err) {
		if !isConflictCause(c) {
			continue
		}
		owner := conflictOwner(c.Message)
		fields[owner] = append(fields[owner], c.Field)
	}
	var parts []string
	for _, owner := range slices.Sorted(maps.Keys(fields)) {
		parts = append(parts, fmt.Sprintf("%q owns %s", owner, fewOf(fields[owner], 4)))
	}
	return strings.Join(parts, "; ")
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
// each says which, objects with the same problem together. The class and the
// hint are those of the first.
func joinFailures(doing string, failures []error) error {
	switch len(failures) {
	case 0:
		return nil
	case 1:
		return fmt.Errorf("%s: %w", doing, failures[0])
	}
	slices.SortFunc(failures, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	lines := together(failures)
	const most = 20
	if n := len(lines); n > most {
		lines = append(lines[:most], fmt.Sprintf("and %d more", n-most))
	}
	return &joined{
		text:  fmt.Sprintf("%s: %d problems:\n  %s", doing, len(failures), strings.Join(lines, "\n  ")),
		first: failures[0],
	}
}

// together is a line per failure, but one for all objects with the same problem.
func together(failures []error) []string {
	var lines []string
	same := map[string][]string{}
	for _, f := range failures {
		var p *problem
		if errors.As(f, &p) {
			same[p.doing+p.text] = append(same[p.doing+p.text], p.object)
		}
	}
	for _, f := range failures {
		var p *problem
		if !errors.As(f, &p) || len(same[p.doing+p.text]) == 1 {
			lines = append(lines, f.Error())
			continue
		}
		if objects := same[p.doing+p.text]; objects[0] == p.object {
			lines = append(lines, fmt.Sprintf("%s %s: %s", p.doing, fewOf(objects, 3), p.text))
		}
	}
	return lines
}

// fewOf names the first of many.
func fewOf(names []string, most int) string {
	if n := len(names); n > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), n-most)
	}
	return strings.Join(names, ", ")
}

type joined struct {
	text  string
	first error
}

func (j *joined) Error() string { return j.text }

// Unwrap is the first failure: it decides the hint and the exit code.
func (j *joined) Unwrap() error { return j.first }
