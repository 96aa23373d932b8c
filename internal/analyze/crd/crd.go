// Package crd judges objects by the schemas of their custom resource
// definitions, as the API server does before it stores them: OpenAPI, rules in
// CEL, lists that are sets or maps. The schemas are those of the input's own
// definitions, or the bundled ones of Istio and the Gateway API.
package crd

import (
	"context"
	"fmt"
	"sync"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
)

// Schema is one version of one kind, ready to judge objects. It is safe for
// concurrent use.
type Schema struct {
	root       *node
	structural *schema.Structural
	openapi    validation.SchemaCreateValidator
	quick      *ruled
	rules      func() *cel.Validator // made when quick cannot tell: it takes long
	defaults   bool
}

// Compile makes a schema ready to judge objects.
func Compile(props *apiextensionsv1.JSONSchemaProps) (*Schema, error) {
	internal := &apiextensions.JSONSchemaProps{}
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(props, internal, nil); err != nil {
		return nil, fmt.Errorf("reading the schema: %w", err)
	}
	structural, err := schema.NewStructural(internal)
	if err != nil {
		return nil, fmt.Errorf("reading the schema: %w", err)
	}
	openapi, _, err := validation.NewSchemaValidator(internal)
	if err != nil {
		return nil, fmt.Errorf("reading the schema: %w", err)
	}
	s := &Schema{root: newNode(internal), structural: structural, openapi: openapi}
	s.rules = sync.OnceValue(func() *cel.Validator { return cel.NewValidator(structural, true, celconfig.PerCallLimit) })
	s.quick = newRuled(structural, s.root)
	s.defaults = s.root.hasDefaults()
	return s, nil
}

// Judge is why the API server would refuse an object, nil when it would not.
// raw is only read.
func (s *Schema) Judge(raw map[string]any) []Refusal {
	object := raw
	if s.defaults {
		object = s.admitted(raw)
	}
	fits := s.root.fits(object) == yes
	if fits && s.quick.clears(object) {
		return nil
	}
	if !fits && !s.defaults {
		object = s.admitted(raw)
	}
	var errs field.ErrorList
	if !fits {
		errs = validation.ValidateCustomResource(nil, object, s.openapi)
		errs = append(errs, listtype.ValidateListSetsAndMaps(nil, s.structural, object)...)
	}
	if s.quick != nil && !blocked(errs) {
		found, _ := s.rules().Validate(context.Background(), nil, s.structural, object, nil, celconfig.RuntimeCELCostBudget)
		errs = append(errs, found...)
	}
	return s.refusals(object, errs)
}

// admitted is the object as the API server has it before it validates: without
// unknown fields and needless nulls, with defaults.
func (s *Schema) admitted(raw map[string]any) map[string]any {
	object := runtime.DeepCopyJSON(raw)
	pruning.Prune(object, s.structural, true)
	defaulting.PruneNonNullableNullsWithoutDefaults(object, s.structural)
	defaulting.Default(object, s.structural)
	return object
}

// blocked says whether errors of the schema keep the API server from looking
// at the rules, which rest on values of the right types and sizes.
func blocked(errs field.ErrorList) bool {
	for _, err := range errs {
		switch err.Type {
		case field.ErrorTypeNotSupported, field.ErrorTypeRequired, field.ErrorTypeTooLong, field.ErrorTypeTooMany, field.ErrorTypeTypeInvalid:
			return true
		}
	}
	return false
}
