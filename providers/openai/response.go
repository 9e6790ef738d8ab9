package openai

import (
	"net/http"

	"github.com/mercadoesperto/smarket/providers/internal/openaicompat"
	"github.com/mercadoesperto/smarket/providers/sdk"
)

// kind knows the codes that only OpenAI has.
func kind(f openaicompat.Failure) sdk.Kind {
	switch f.Code {
	case "account_deactivated":
		return sdk.KindAuth
	case "unsupported_country_region_territory":
		return sdk.KindAuth
	case "slow_down":
		return sdk.KindRateLimited
	}
	if f.Status == http.StatusBadRequest && f.Type == "image_generation_user_error" {
		return sdk.KindBlocked
	}
	return ""
}
