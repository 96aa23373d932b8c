package precheck

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/meshctl/meshctl/internal/analyze"
	"github.com/meshctl/meshctl/internal/mesh"
)

// AccessReview is the API server's answer to the question whether the user may
// do something.
var AccessReview = mesh.ForeignKind("authorization.k8s.io/v1", "SelfSubjectAccessReview")

// MissingPermission finds what an install needs to do and the user may not.
var MissingPermission = &analyze.Check{
	Code: "IST0141", Name: "missing-permission", Severity: analyze.Error,
	Reads: []mesh.Kind{AccessReview},
	Doc: analyze.Doc{
		What: "The API server says that you may not do something that an install of Istio does. It is asked itself, so permissions count however they are given: by roles, groups, wildcards or another authorizer.",
		Why:  "The install would be refused halfway, with part of Istio in the cluster.",
		Fix:  "Ask for the permission, or let somebody install who has it. kubectl auth can-i shows single ones.",
	},
	Run: func(p *analyze.Pass) {
		verbs := map[attributes][]string{}
		why := map[attributes]string{}
		var order []attributes
		for _, review := range p.Objects(AccessReview) {
			if allowed, _ := review.Field("status", "allowed").(bool); allowed {
				continue
			}
			verb, a := attributesOf(review)
			if verbs[a] == nil {
				order = append(order, a)
			}
			verbs[a] = append(verbs[a], verb)
			reason, _ := review.Field("status", "reason").(string)
			other, _ := review.Field("status", "evaluationError").(string)
			why[a] = cmp.Or(why[a], reason, other)
		}
		for _, a := range order {
			p.Report(mesh.Location{}, "you may not %s %s", strings.Join(verbs[a], " or "), strings.TrimSuffix(a.String()+": "+why[a], ": ")).
				Suggest("ask for the permission; `%s` shows whether you have it", a.question(verbs[a][0]))
		}
	},
}

// attributes are what a review is about, without the verb.
type attributes struct{ group, plural, namespace string }

func attributesOf(review *mesh.Object) (verb string, a attributes) {
	field := func(name string) string {
		text, _ := review.Field("spec", "resourceAttributes", name).(string)
		return text
	}
	return field("verb"), attributes{field("group"), field("resource"), field("namespace")}
}

// String is "clusterroles.rbac.authorization.k8s.io in the cluster".
func (a attributes) String() string {
	if a.namespace == "" {
		return a.resource() + " in the cluster"
	}
	return a.resource() + " in namespace " + a.namespace
}

// resource is the kind as kubectl takes it: clusterroles.rbac.authorization.k8s.io.
func (a attributes) resource() string { return strings.TrimSuffix(a.plural+"."+a.group, ".") }

// question is the command that asks for the same permission.
func (a attributes) question(verb string) string {
	ask := fmt.Sprintf("kubectl auth can-i %s %s", verb, a.resource())
	if a.namespace != "" {
		ask += " -n " + a.namespace
	}
	return ask
}
